"""What limbs were like before the cold water: the scan at rest of the same visit, if it shows what the challenge shows.

Cold toes are missed at rest more easily than later, when they are warm: the toes are then sought on the ball, and a
temperature before the immersion that is the ball's spoils every recovery. Both pictures show the same limb on the same
day, so that its outline tells: where one is shorter for its breadth than the other, or both cannot be laid onto each
other, the regions at rest are not believed. They are then carried from the challenge, if that fits, or left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Final

import numpy as np

from rewarm.alignment import align, carried_mask, fit_partial, slenderness
from rewarm.errors import InvalidInputError
from rewarm.measures import region_parts
from rewarm.measures.regional import MIN_REGION_PX
from rewarm.measures.rewarming import Baseline
from rewarm.regions import ANGIOSOMES, FINGERS, TOES, WHOLE_LIMBS, Mask, Region, Regions, limb_sides, limb_whole
from rewarm.study.results import ScanResult
from rewarm.thermogram import temperature_c

MOST_APART: Final = 1.1
"""Limbs of one person and day whose length over breadth differ by more than this factor were not both found whole."""
MARGIN_SHARE: Final = 0.15
"""A toe that was missed lies within this share of the limb's length beside what was found."""
FEWEST_COMMON: Final = 4
"""Fewer regions found in both tell no shape."""
CARRIED_CONFIDENCE: Final = 0.7
"""At most so sure is a region that was carried onto a picture in which nobody sees its outline."""


@dataclass(frozen=True)
class Rest:
    """Temperatures before the immersion by (side, region), the scan they are from, and what a person should know."""

    scan: str = ""
    baseline: Mapping[tuple[str, str], Baseline] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def rest_before(challenge: ScanResult, regions: Regions, scans: Sequence[ScanResult]) -> Rest:
    """The temperatures before a challenge; ``regions`` are the challenge's, found where its limbs are seen best.

    u holds what the challenge does not share with the scan at rest: the same camera on the same day is off by the same
    amount, which cancels in a recovery.
    """
    rest = _at_rest(challenge, scans)
    if rest is None:
        return Rest()
    baseline: dict[tuple[str, str], Baseline] = {}
    warnings = []
    for side in limb_sides(challenge.limb):
        measured, said = _of_side(rest, regions, side)
        warnings += said
        for region, (mask, confidence, note) in measured.items():
            found = _measured(rest, challenge, mask, confidence, note)
            if found is not None:
                baseline[side, region] = found
    return Rest(rest.scan if baseline else "", baseline, tuple(warnings))


def _at_rest(first: ScanResult, scans: Sequence[ScanResult]) -> ScanResult | None:
    """The scan at rest of the same visit, view and limb; one of both limbs also stands for one of them."""
    if not first.visit:
        return None
    same = [
        scan
        for scan in scans
        if (scan.participant, scan.visit, scan.view, scan.phase) == (first.participant, first.visit, first.view, "rest")
        and limb_whole(scan.limb) == limb_whole(first.limb)
        and set(limb_sides(scan.limb)) & set(limb_sides(first.limb))
        and scan.regions.found
    ]
    same.sort(key=lambda scan: scan.limb != first.limb)
    return same[0] if same else None


_Placed = dict[str, tuple[Mask, float, str]]


def _of_side(rest: ScanResult, regions: Regions, side: str) -> tuple[_Placed, list[str]]:
    """Where one side's regions lie at rest, each with its confidence and a note, and what a person should know."""
    ours, theirs = (_parts(each, side) for each in (rest.regions, regions))
    own: _Placed = {item.region: (item.mask, item.confidence, "") for item in ours}
    if not ours or not theirs or any(_by_person(item) for item in ours):
        return own, []
    slender = _slender(rest.regions, regions, side)
    if slender is None or 1.0 / MOST_APART < slender[0] / slender[1] < MOST_APART:
        return own | _missing(rest.regions, regions, theirs, own, side), []
    doubt = (
        f"{rest.scan}: {side} {limb_whole(rest.limb)}: the regions at rest do not lie as while rewarming (length over "
        f"breadth {slender[0]:.2f} at rest, {slender[1]:.2f} while rewarming)"
    )
    fit = fit_partial(regions, rest.regions, side) if slender[0] < slender[1] else None
    if fit is None:
        look = "the rewarming's" if slender[0] > slender[1] else "its"
        return {}, [
            f"{doubt}, so that nothing is said of the temperature before the cold water. Look at {look} outlines, and "
            "draw them where they are wrong"
        ]
    carried = {
        item.region: (
            fit.carried(item.mask, rest.regions.shape), min(item.confidence, CARRIED_CONFIDENCE), "carried there"
        )
        for item in theirs
    }  # fmt: skip
    return carried, [
        f"{doubt}: probably cold toes or fingers were missed at rest. Those of the rewarming were carried there, and "
        "tpre is theirs. Look at the outlines at rest; its other figures are in doubt"
    ]


def _parts(regions: Regions, side: str) -> list[Region]:
    return [item for item in regions.found if item.side == side and item.region not in (*ANGIOSOMES, *WHOLE_LIMBS)]


def _slender(rest: Regions, cold: Regions, side: str) -> tuple[float, float] | None:
    """Length over breadth of what was found in both, in each; None where too little was."""
    names = {item.region for item in _parts(rest, side)} & {item.region for item in _parts(cold, side)}
    if len(names) < FEWEST_COMMON:
        return None
    found = slenderness(rest, side, names), slenderness(cold, side, names)
    return None if found[0] is None or found[1] is None else (found[0], found[1])


def _missing(rest: Regions, cold: Regions, theirs: Sequence[Region], own: _Placed, side: str) -> _Placed:
    """Digits that were found while rewarming but not at rest, where they must lie."""
    wanted = [item for item in theirs if item.region not in own and item.region in (*TOES, *FINGERS)]
    if not wanted:
        return {}
    try:
        placed = align(rest, cold, margin_share=MARGIN_SHARE).sides.get(side)
    except InvalidInputError:
        return {}
    if placed is None:
        return {}
    taken = np.any([mask for mask, _, _ in own.values()], axis=0)
    found: _Placed = {}
    for item in wanted:
        mask = carried_mask(item.mask, placed, rest.shape) & ~taken
        if np.count_nonzero(mask) >= max(MIN_REGION_PX, 0.6 * np.count_nonzero(item.mask)):
            found[item.region] = (mask, min(item.confidence, CARRIED_CONFIDENCE), "carried there")
    return found


def _by_person(item: Region) -> bool:
    return not item.drawn_by.startswith("rewarm")


def _measured(rest: ScanResult, challenge: ScanResult, mask: Mask, confidence: float, note: str) -> Baseline | None:
    values = temperature_c(rest.thermogram)[mask]
    values = values[np.isfinite(values)]
    if values.size < MIN_REGION_PX:
        return None
    cameras = [
        tuple(scan.thermogram.attrs.get(key) for key in ("camera_make", "camera_model", "camera_serial"))
        for scan in (rest, challenge)
    ]
    shared = {"camera", "session"} if cameras[0] == cameras[1] else set()
    parts = region_parts(rest.thermogram, mask, confidence=confidence, assumptions=rest.assumptions)
    u_c = sqrt(sum(part.u_c**2 for part in parts if part.scope not in shared))
    return Baseline(float(values.mean(dtype=np.float64)), u_c, note)
