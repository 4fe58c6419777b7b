"""Two finders look at a foot and check each other: outlines are exact, the network knows what a foot looks like."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.found import FoundLimb
from rewarm.anatomy.network import FOOT_PARTS, Prediction, predict
from rewarm.anatomy.outlined import outlined_feet
from rewarm.anatomy.seen import find_limbs
from rewarm.anatomy.silhouettes import valid_pixels
from rewarm.regions import CONFIDENCE_LIMIT, TOES, Mask, limb_sides, limb_whole

_SUPPORTED: Final = 0.5
"""Mean probability of a foot within an outline from which on the network sees a foot there too."""
_SAME: Final = 0.6
"""Dice from which on two feet are the same one."""
_UNSUPPORTED_SHARE: Final = 0.5
"""What is left of an outline's confidence where the network sees no foot."""

Found = dict[str, FoundLimb]


def choose_limbs(temperature: NDArray[np.float32], *, limb: str, view: str) -> tuple[Found, list[str]]:
    """Each side's limb in (y, x) °C, and warnings. Hands are the network's alone."""
    valid, cut_out = valid_pixels(temperature)
    if not valid.any():
        return {}, []
    prediction = predict(temperature)
    seen, seen_warnings = find_limbs(prediction, limb=limb, view=view, cut_out=valid if cut_out else None)
    if limb_whole(limb) == "hand":
        return seen, seen_warnings
    outlined, outline_warnings = outlined_feet(temperature, limb=limb, view=view)
    if not cut_out:  # a silhouette that was cut out is exact
        outlined = {side: doubt_toes(own, prediction) for side, own in outlined.items()}
    found: Found = {}
    for side in limb_sides(limb):
        chosen = _better(outlined.get(side), seen.get(side), prediction, cut_out=cut_out)
        if chosen is not None:
            found[side] = chosen
    found = _no_foot_twice(found)
    drawn = {own.drawn_by for own in found.values()}
    outlines = any(own.drawn_by in drawn for own in outlined.values())
    network = not found or any(own.drawn_by in drawn for own in seen.values())
    warnings = [*(outline_warnings if outlines else []), *(seen_warnings if network else [])]
    return found, list(dict.fromkeys(warnings))


def _better(
    outlined: FoundLimb | None, seen: FoundLimb | None, prediction: Prediction, *, cut_out: bool
) -> FoundLimb | None:
    """The outline where the network sees a foot too: it is the finer one. Otherwise the surer of both."""
    if outlined is None:
        return seen
    mask, sure, _ = outlined.parts["foot"]
    if cut_out and sure >= CONFIDENCE_LIMIT:
        return outlined
    supported = float(prediction.foot[mask].mean()) >= _SUPPORTED if mask.any() else False
    if not supported:
        outlined = _less_sure(outlined)
    other, seen_sure = (seen.parts["foot"][:2]) if seen is not None else (np.zeros_like(mask), 0.0)
    if supported and sure >= CONFIDENCE_LIMIT and (seen is None or _dice(mask, other) >= _SAME):
        return outlined
    return outlined if seen is None or outlined.parts["foot"][1] > seen_sure else seen


def doubt_toes(limb: FoundLimb, prediction: Prediction) -> FoundLimb:
    """Lower, never raise, the confidence of an outline's toes that the network takes for another part of the foot.

    Within a toe's mask the network's mean probability of that toe stands against that of the likeliest other part, be
    it another toe or the ball. Where the other one is likelier, twice the toe's share of the two is what is left of its
    confidence. Borders that differ by a pixel or two do not matter: they do not turn which of the two is likelier.
    """
    maps = {name: prediction.probability((name,)) for name in FOOT_PARTS}
    parts = dict(limb.parts)
    for toe in TOES:
        mask, sure, reason = parts[toe]
        if not mask.any():
            continue
        within = {name: float(probability[mask].mean()) for name, probability in maps.items()}
        own = within.pop(toe)
        rival = max(within, key=lambda name: within[name])
        if within[rival] > own:
            left = 2.0 * own / (own + within[rival])
            parts[toe] = (mask, left * sure, reason or f"it may be {rival} in truth: the two finders do not agree")
    return replace(limb, parts=parts)


def _less_sure(limb: FoundLimb) -> FoundLimb:
    doubt = "its outline is like a foot's, but nothing else there is"
    parts = {
        name: (mask, _UNSUPPORTED_SHARE * sure, reason or doubt) for name, (mask, sure, reason) in limb.parts.items()
    }
    return replace(limb, parts=parts)


def _no_foot_twice(found: Found) -> Found:
    """Where the finders give one foot to both sides, the less sure side goes."""
    if len(found) < 2:
        return found
    (first, one), (second, other) = found.items()
    if _dice(one.parts["foot"][0], other.parts["foot"][0]) < _SAME:
        return found
    return {first: one} if one.parts["foot"][1] >= other.parts["foot"][1] else {second: other}


def _dice(one: Mask, other: Mask) -> float:
    return 2.0 * float((one & other).sum()) / max(float(one.sum() + other.sum()), 1.0)
