"""The limbs that the network sees, as the regions that were asked for: named, with a confidence and landmarks."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from rewarm.anatomy.confidence import confidence
from rewarm.anatomy.found import FoundLimb, Part
from rewarm.anatomy.frames import foot_coordinates, toes_point_down
from rewarm.anatomy.learned import SeenLimb, seen_limbs
from rewarm.anatomy.network import Prediction
from rewarm.anatomy.zones import angiosomes
from rewarm.regions import ANGIOSOMES, FINGERS, TOES, Mask, limb_sides, limb_whole
from rewarm.version import __version__

DRAWN_BY: Final = f"rewarm {__version__} network"
_SIDE_DOUBT: Final = 0.75
_OTHER_VIEW: Final = 0.5
"""Share of a foot's pixels, toes aside, of the other view, from which on the view is questioned."""


def find_limbs(
    prediction: Prediction, *, limb: str, view: str, cut_out: Mask | None = None
) -> tuple[dict[str, FoundLimb], list[str]]:
    """Each side's parts as the network sees them, and warnings; ``cut_out`` as :func:`seen_limbs` takes it."""
    whole, sides = limb_whole(limb), limb_sides(limb)
    seen, warnings = seen_limbs(prediction, whole, cut_out=cut_out)
    seen = [_of_view(item, view, warnings) for item in seen]
    found: dict[str, FoundLimb] = {}
    for side, item, doubt, side_sure in _asked_for(seen, sides):
        if doubt:
            warnings.append(f"{side} {whole}: {doubt}. Check `limb` and `view`, and whether the picture is mirrored")
        found[side] = _described(item, whole=whole, view=view, doubt=doubt, side_sure=side_sure)
    return found, warnings


def _asked_for(seen: list[SeenLimb], sides: tuple[str, ...]) -> list[tuple[str, SeenLimb, str, float]]:
    """Side, limb, doubt, and what is left of a confidence. A single limb of the other side is kept, with a doubt."""
    own = [item for item in seen if item.side in sides]
    if own or len(sides) > 1 or not seen:
        return [(item.side, item, *_side_doubt(item)) for item in own]
    item = seen[0]
    doubt = f"it looks like the {item.side} one, but it is taken as the {sides[0]} one"
    return [(sides[0], item, doubt, max(1.0 - item.side_share, 0.0))]


def _side_doubt(item: SeenLimb) -> tuple[str, float]:
    if "heel" in item.parts and toes_point_down(item):
        return "its toes point down in the picture, where left and right are easily mistaken", 1.0
    # How sure the side is has its share in the confidence already.
    return ("" if item.side_share >= _SIDE_DOUBT else "its outline does not tell a left from a right one"), 1.0


def _of_view(item: SeenLimb, view: str, warnings: list[str]) -> SeenLimb:
    """A doubt of the view is told. Where the back was announced and it looks like a sole, its side turns."""
    if "dorsum" not in item.parts:
        return item
    sole = sum(int(item.parts[name].sum()) for name in ("ball", "arch", "heel"))
    back = int(item.parts["dorsum"].sum())
    share = (back if view == "plantar" else sole) / max(sole + back, 1)
    if share <= _OTHER_VIEW:
        return item
    shown = "back or the side of a foot" if view == "plantar" else "sole of a foot"
    sentence = f"the picture seems to show the {shown}, but the view is said to be {view}. Check `view`"
    if sentence not in warnings:
        warnings.append(sentence)
    return item if view == "plantar" else replace(item, side="right" if item.side == "left" else "left")


def _described(item: SeenLimb, *, whole: str, view: str, doubt: str, side_sure: float) -> FoundLimb:
    """All parts of a limb by name; ``side_sure`` (0..1) is how sure its side is."""

    def sure(name: str, kind: str) -> float:
        signs = item.signs.get(name)
        return 0.0 if signs is None else side_sure * confidence(kind, signs)

    parts: dict[str, Part] = {whole: (item.mask, sure("limb", whole), doubt)}
    for name, mask in item.parts.items():
        parts[name] = (mask, sure(name, name), doubt or _reason(name, bool(mask.any())))
    if whole == "hand":
        parts["hand_dorsum"] = parts["palm"]
        return FoundLimb(parts, item.landmarks, DRAWN_BY)
    points = foot_coordinates(item, view=view)
    for name in ANGIOSOMES:
        parts[name] = (np.zeros_like(item.mask), 0.0, "the foot's direction cannot be told")
    if points is not None:
        rows, columns = np.nonzero(item.mask)
        for name, own in angiosomes(points).items():
            mask = np.zeros_like(item.mask)
            mask[rows[own], columns[own]] = True
            parts[name] = (mask, 0.95 * sure("limb", whole), doubt)
    return FoundLimb(parts, item.landmarks, DRAWN_BY)


def _reason(name: str, there: bool) -> str:
    if there:
        return ""
    if name in (*TOES, *FINGERS):
        return "not seen: it may be hidden, missing, cut by the frame or as cold as what is around it"
    return "not seen in this view"
