"""Before ↔ after: which point of one sole is which point of the other, and the map of what changed."""

from rewarm.alignment.atlas import OnAtlas, on_atlas
from rewarm.alignment.carry import carried_mask, carried_point
from rewarm.alignment.feet import Alignment, SideAlignment, align
from rewarm.alignment.maps import change_map
from rewarm.alignment.motion import carried_regions, follow_motion
from rewarm.alignment.partial import PartialFit, fit_partial, slenderness

__all__ = [
    "Alignment",
    "OnAtlas",
    "PartialFit",
    "SideAlignment",
    "align",
    "carried_mask",
    "carried_point",
    "carried_regions",
    "change_map",
    "fit_partial",
    "follow_motion",
    "on_atlas",
    "slenderness",
]
