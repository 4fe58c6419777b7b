"""Each later challenge of a person against the first: rows of the comparisons table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rewarm.measures.rewarming_change import compare_rewarmings
from rewarm.regions import limb_whole
from rewarm.study.outputs import stacked
from rewarm.study.results import Rewarming, ScanResult
from rewarm.tables import COMPARISON


def rewarming_changes(rewarmings: Sequence[Rewarming], scans: Sequence[ScanResult]) -> pd.DataFrame:
    """Rows of :data:`rewarm.tables.COMPARISON`, by people, limbs and views as listed, then by visits."""
    ambient_c = {scan.scan: scan.ambient_c for scan in scans}
    groups: dict[tuple[str, str, str], list[Rewarming]] = {}
    for item in rewarmings:
        groups.setdefault((item.participant, limb_whole(item.limb), item.view), []).append(item)
    tables = []
    for items in groups.values():
        first, *later = one_a_visit(items)
        tables += [
            compare_rewarmings(
                first.metrics,
                after.metrics,
                before_ambient_c=ambient_c.get(first.scan),
                after_ambient_c=ambient_c.get(after.scan),
            )
            for after in later
        ]
    return stacked(tables, COMPARISON)


def one_a_visit(items: Sequence[Rewarming]) -> list[Rewarming]:
    """By date; of several challenges of one visit the first."""
    ordered = sorted(items, key=lambda item: (item.date is None, item.date.toordinal() if item.date else 0))
    first: dict[str, Rewarming] = {}
    for item in ordered:
        first.setdefault(item.visit or item.scan, item)
    return list(first.values())
