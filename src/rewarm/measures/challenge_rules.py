"""What a cold challenge must be like before its figures mean what they say: the rules, as data.

The usual protocol is 15 °C water for 60 s, hands or feet dry in a glove or bag, then 15 min of rewarming with a frame
every 10 to 15 s (Wilkinson et al. 2018, doi 10.1002/art.40457). Nothing here judges; :mod:`rewarm.measures.challenge`
does.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import Final

from rewarm.measures.protocol_rules import CHOSEN, Rule

USUAL: Final = "doi:10.1002/art.40457"
USUAL_WATER_C: Final = 15.0
USUAL_IMMERSION_S: Final = 60.0
USUAL_FOLLOW_UP_S: Final = 900.0

_RULES: Final = (
    Rule(
        "challenge_baseline", "baseline", "picture",
        "Is there a picture from before the immersion?", "at least one, of every region measured after it",
        "Recovery is a share of what was lost; without a baseline only temperatures and gradients can be told.",
        USUAL,
    ),
    Rule(
        "challenge_water", "water temperature", "set-up",
        "Was the water as cold as planned?", "within 1 °C of the plan (15 °C if none); a warning up to 2 °C",
        "Warmer water challenges less, so that vessels look better than they are.",
        f"{USUAL}; the limits {CHOSEN}", "°C", (-1.0, 1.0), (-2.0, 2.0),
    ),
    Rule(
        "challenge_immersion", "time in the water", "set-up",
        "Was the limb in the water as long as planned?",
        "90 to 120 % of the plan (60 s if none); a warning from 75 to 150 %",
        "A shorter immersion cools the skin alone, and it rewarms from what lies below.",
        f"{USUAL}; the limits {CHOSEN}", "%", (90.0, 120.0), (75.0, 150.0),
    ),
    Rule(
        "challenge_dry", "kept dry", "person and room",
        "Did the skin stay dry in the water (glove or bag)?", "yes",
        "Water that is left on the skin cools it for minutes as it dries.",
        USUAL,
    ),
    Rule(
        "challenge_cooled", "cooled enough", "picture",
        "Did the challenge cool the digits?", "by 5 °C or more; a warning from 2 °C",
        "Shares of a small loss are uncertain, and the vessels may not have been challenged at all.",
        f"the limits {CHOSEN}", "°C", (5.0, inf), (2.0, inf),
    ),
    Rule(
        "challenge_first_frame", "first frame", "picture",
        "How soon after the immersion was the first frame taken?", "within 15 s; a warning up to 30 s",
        "The first seconds hold the lowest temperature; what comes later misses it.",
        f"{USUAL}; the limits {CHOSEN}", "s", (0.0, 15.0), (0.0, 30.0),
    ),
    Rule(
        "challenge_frame_gap", "time between frames", "picture",
        "How far are frames apart at most?", "15 s; a warning up to 60 s",
        "Gradients and lags between distant frames are guesses.",
        f"{USUAL}; the 60 s {CHOSEN}", "s", (0.0, 15.0), (0.0, 60.0),
    ),
    Rule(
        "challenge_frames_lost", "frames lost", "picture",
        "How many of the frames could not be measured?", "at most 5 %; a warning up to 20 %",
        "What passes before the camera, or a limb that moves away, leaves holes in the curves.",
        f"the limits {CHOSEN}", "%", (0.0, 5.0), (0.0, 20.0),
    ),
    Rule(
        "challenge_follow_up", "followed long enough", "picture",
        "How long was rewarming followed?", "as planned (15 min if not); a warning from two thirds of it",
        "Who has not recovered by the end counts as censored; the shorter, the more do.",
        f"{USUAL}; the limits {CHOSEN}", "%", (97.0, inf), (66.0, inf),
    ),
)  # fmt: skip

CHALLENGE_RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.id: rule for rule in _RULES})
"""Every rule by its id, in the order in which they are shown."""
