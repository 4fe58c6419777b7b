"""Two finders look at a foot and check each other: the network knows what a foot looks like, outlines are exact.

The network says which feet there are. An outline takes a foot's place only where both see nearly the same foot: where
they differ it is the outline that errs, along a fold of the sheet or the border between warm and cold skin (of 133
outlines in 400 simulated scenes that looked like feet, 14 were within a Dice of 0.93 of the network's foot: these had
0.96 with the truth, the network 0.97; the others had 0.42, the network 0.92. Of both soles that fill the picture before
a quiet sheet, all outlines are within it: 0.986, the network 0.983, and their toes 0.90, the network's 0.88). Where the
network sees a foot but is not sure of it, or not of the pixels in which both differ, as where shins stand behind soles,
a sure outline counts; so it was in 2 of the 400 scenes (once the outline was better), and in the one real picture of a
person on a bed, after which this was made.
"""

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
_AGREED: Final = 0.93
"""Dice from which on an outline is the finer drawing of the foot that the network sees."""
_UNDECIDED: Final = 0.55
"""Mean distance of the network's probability from one half, 0..1, where two drawings differ: below it cannot tell."""
_SAME: Final = 0.3
"""Dice from which on two feet cannot be different ones."""
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
        chosen = choose_foot(side, outlined.get(side), seen, prediction, cut_out=cut_out)
        if chosen is not None:
            found[side] = chosen
    found = no_foot_twice(found)
    drawn = {own.drawn_by for own in found.values()}
    outlines = any(own.drawn_by in drawn for own in outlined.values())
    network = not found or any(own.drawn_by in drawn for own in seen.values())
    warnings = [*(outline_warnings if outlines else []), *(seen_warnings if network else [])]
    return found, list(dict.fromkeys(warnings))


def choose_foot(
    side: str, outlined: FoundLimb | None, seen: Found, prediction: Prediction, *, cut_out: bool
) -> FoundLimb | None:
    """The foot of a side: the network's, or the outline of the same foot where it is the finer drawing of it.

    ``seen`` are the network's feet by side; ``cut_out`` says that the picture's background was removed.
    """
    own = seen.get(side)
    if outlined is None:
        return own
    mask, sure, _ = outlined.parts["foot"]
    if cut_out and sure >= CONFIDENCE_LIMIT:
        return outlined
    supported = bool(mask.any()) and float(prediction.foot[mask].mean()) >= _SUPPORTED
    if own is not None:
        other, other_sure, _ = own.parts["foot"]
        alike = _dice(mask, other)
        differ = prediction.foot[mask ^ other]
        undecided = differ.size > 0 and float(np.abs(2.0 * differ - 1.0).mean()) < _UNDECIDED
        unsure = other_sure < CONFIDENCE_LIMIT or undecided
        agreed = alike >= _AGREED or (unsure and supported and alike >= _SAME)
        return outlined if sure >= CONFIDENCE_LIMIT and agreed else own
    if any(_dice(mask, other.parts["foot"][0]) >= _SAME for other in seen.values()):
        return None  # the other foot, which the network knows better
    return outlined if supported else _not_to_be_measured(outlined)


def no_foot_twice(found: Found) -> Found:
    """Where the finders give one foot to both sides, the less sure side goes."""
    if len(found) < 2:
        return found
    (first, one), (second, other) = found.items()
    if _dice(one.parts["foot"][0], other.parts["foot"][0]) < _SAME:
        return found
    return {first: one} if one.parts["foot"][1] >= other.parts["foot"][1] else {second: other}


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


def _not_to_be_measured(limb: FoundLimb) -> FoundLimb:
    doubt = "something has an outline like a foot's there, but nothing else of one"
    nothing = np.zeros_like(limb.parts["foot"][0])
    parts = {
        name: (nothing, _UNSUPPORTED_SHARE * sure, reason or doubt) for name, (_, sure, reason) in limb.parts.items()
    }
    return replace(limb, parts=parts)


def _dice(one: Mask, other: Mask) -> float:
    return 2.0 * float((one & other).sum()) / max(float(one.sum() + other.sum()), 1.0)
