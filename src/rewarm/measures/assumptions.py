"""What the uncertainty budget takes for granted where neither the file nor the study says better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STUDY_FILE: Final = "study.toml"
DEFAULT: Final = "default"


@dataclass(frozen=True)
class Assumptions:
    """What is taken for granted where neither the file nor the study says better. Half-widths are in the name's unit.

    Camera and session: ``accuracy_c`` ±2 °C is the usual specification of uncooled cameras; ``drift_c`` ±0.5 °C is for
    the change of a warmed-up camera's offset from session to session.

    Picture: ``nonuniformity_c`` is how far 95 % of the places are from the picture's mean error (about 1 °C between
    centre and edge happens), alike over ``nonuniformity_reach`` of the picture's diagonal. ``netd_mk`` is an uncooled
    camera's noise; ``noise_shared_px`` is how many neighbouring pixels share it (demosaicking, sharpening and residual
    patterns make neighbours alike), so that n pixels count as n/``noise_shared_px``.

    Object and air: ``…_half_width`` is how far a stated figure may be wrong, ``…_unknown_half_width`` how far the
    default is where the file holds none, or none that can be true. ``emissivity`` is skin's own spread around 0.98.

    Region: ``edge_px`` is how far an outline may lie off; ``blur_px`` the standard deviation of the optics' blur, known
    to a factor of two; ``scatter`` the share of a pixel's signal that comes from up to ``scatter_px`` around it (size
    of source). How doubtful a region's outline is beyond ``edge_px`` follows from the finder's confidence.

    ``stated`` names those of these figures that somebody stated (in study.toml) instead of leaving the default.
    """

    accuracy_c: float = 2.0
    drift_c: float = 0.5
    nonuniformity_c: float = 0.5
    nonuniformity_reach: float = 0.25
    netd_mk: float = 100.0
    noise_shared_px: float = 4.0
    emissivity_half_width: float = 0.01
    emissivity_unknown_half_width: float = 0.03
    reflected_c: float = 23.0
    reflected_half_width_c: float = 2.0
    reflected_unknown_half_width_c: float = 5.0
    air_c: float = 23.0
    air_half_width_c: float = 2.0
    air_unknown_half_width_c: float = 5.0
    distance_m: float = 1.0
    distance_half_width_m: float = 0.3
    distance_unknown_half_width_m: float = 0.7
    humidity_pct: float = 50.0
    humidity_half_width_pct: float = 15.0
    humidity_unknown_half_width_pct: float = 25.0
    edge_px: float = 0.5
    blur_px: float = 0.6
    scatter: float = 0.01
    scatter_px: float = 12.0
    stated: frozenset[str] = frozenset()

    def origin(self, *names: str) -> str:
        """Where the named figures come from, in words: "study.toml", "default", or which is which."""
        origins = {name: STUDY_FILE if name in self.stated else DEFAULT for name in names}
        if len(set(origins.values())) == 1:
            return next(iter(origins.values()))
        return ", ".join(f"{name} {where}" for name, where in origins.items())

    def are_stated(self, *names: str) -> bool:
        """Whether all the named figures were stated."""
        return self.stated.issuperset(names)

    def said(self, *names: str) -> str:
        """How a budget's source says so: "assumed", "stated in study.toml", or both."""
        if self.are_stated(*names):
            return f"stated in {STUDY_FILE}"
        return "assumed" if self.stated.isdisjoint(names) else f"partly stated in {STUDY_FILE}, assumed otherwise"


DEFAULT_ASSUMPTIONS: Final = Assumptions()
