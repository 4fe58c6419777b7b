"""Why toes are warmer after: the probability of each cause."""

MECHANISMS = ("nerve_block", "direct_dilation", "lost_sweating", "environment_only", "none")
