"""What the curves of one recording share of their errors: the picture's budget, with signs, over time.

A shared error cancels in a gradient only as far as it is the same at both ends. The camera's offset is. What skin of
the wrong emissivity does changes with the skin's temperature, an outline that lies beside a cold toe errs to the other
side once the toe is warmer than the room. So each cause is kept as what one standard deviation of it does to each
region at each time (GUM, JCGM 100:2008, 5.2), and whatever is computed from the curves moves with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.measures.assumptions import Assumptions
from rewarm.measures.blur import blur_loss_c
from rewarm.measures.budget import REACH, Place, Shape, alike, place_of
from rewarm.measures.outline import mean_per_pixel_of_outline, mean_per_pixel_of_shift
from rewarm.measures.uncertainty import picture_parts, place_parts, surface_parts
from rewarm.regions import Region
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR

Floats = NDArray[np.float64]
Effect = tuple[str, Shape, Floats]
"""Name, distribution, and what one standard deviation does: (regions,) or (regions, times), °C."""


@dataclass(frozen=True)
class RegionBudget:
    """One region in one picture: its mean, what it shares with others (by name: shape and signed u, °C), and the rest.

    ``outline_c`` is what an outline one standard deviation too large adds, with its sign, ``doubt_c`` what the finder's
    doubt does. ``noise_c`` is the mean's noise, ``per_px_c`` what a shift by one pixel does, ``place_c`` all that
    depends on the place in the picture.
    """

    mean_c: float
    n_px: int
    shared: Mapping[str, tuple[Shape, float]]
    outline_c: float
    doubt_c: float
    noise_c: float
    per_px_c: float
    place_c: float


def region_budgets(
    temperature: NDArray[np.float32], items: Sequence[Region], attrs: Mapping[Any, Any], assumptions: Assumptions
) -> Iterator[RegionBudget]:
    """Of each region in a picture (y, x), °C; NaN throughout where a region has no temperature there."""
    lost_c = blur_loss_c(temperature, assumptions=assumptions)
    for item in items:
        values = temperature[item.mask]
        values = values[np.isfinite(values)].astype(np.float64)
        mean_c = float(values.mean()) if values.size else float("nan")
        if not values.size:
            yield RegionBudget(mean_c, 0, {}, 0.0, 0.0, 0.0, 0.0, 0.0)
            continue
        surface = surface_parts(mean_c, attrs, assumptions=assumptions)
        placed = place_parts(
            temperature, item.mask, attrs, confidence=item.confidence, lost_c=lost_c, assumptions=assumptions
        )
        by_name = {part.name: part for part in placed}
        blur = by_name["blur and spot size"]
        outline_c = assumptions.edge_px * mean_per_pixel_of_outline(temperature, item.mask) / REACH["rectangular"]
        doubt_c = by_name["doubt of the outline"].u_c
        uneven = [part.u_c for part in placed if part.name == "non-uniformity"]
        yield RegionBudget(
            mean_c,
            int(values.size),
            {part.name: (part.shape, part.sign * part.u_c) for part in (*surface, blur)},
            outline_c,
            doubt_c,
            by_name["noise"].u_c,
            mean_per_pixel_of_shift(temperature, item.mask),
            sqrt(outline_c**2 + doubt_c**2 + sum(u**2 for u in uneven)),
        )


def shared_causes(
    budgets: Sequence[Sequence[RegionBudget]],
    anchor_s: Floats,
    time_s: Floats,
    attrs: Mapping[Any, Any],
    assumptions: Assumptions,
) -> Iterator[Effect]:
    """Camera, session, skin, air and blur, which all regions share, and each region's outline; over ``time_s``.

    ``budgets`` are those of all regions at each of ``anchor_s``; they are interpolated between.
    """
    count = len(budgets[0])
    for part in picture_parts(xr.Dataset(attrs=dict(attrs)), assumptions=assumptions):
        if part.name != "drift within the recording":
            yield part.name, part.shape, np.full(count, part.u_c)

    def course(of: Sequence[float]) -> Floats:
        return np.interp(time_s, anchor_s, np.nan_to_num(np.asarray(of, dtype=np.float64)))

    names = dict.fromkeys((name, shape) for at in budgets for one in at for name, (shape, _) in one.shared.items())
    for name, shape in names:
        rows = [course([at[row].shared.get(name, (shape, 0.0))[1] for at in budgets]) for row in range(count)]
        yield name, shape, np.stack(rows)
    for row in range(count):
        for name, of in (
            ("outline", [at[row].outline_c for at in budgets]),
            ("doubt of the outline", [at[row].doubt_c for at in budgets]),
        ):
            if any(of):
                effect = np.zeros((count, len(time_s)))
                effect[row] = course(of)
                yield name, "rectangular", effect


def non_uniformity_causes(
    items: Sequence[Region], attrs: Mapping[Any, Any], shape: tuple[int, int], assumptions: Assumptions
) -> Iterator[Effect]:
    """The picture's non-uniformity: independent patterns over the regions, steady in time.

    Principal components of the covariance of the regions' means (:func:`rewarm.measures.budget.alike`); with a
    reference in view, of their difference from its place.
    """
    reach_px = assumptions.nonuniformity_reach * float(np.hypot(*shape))
    spread_c = assumptions.nonuniformity_c / SMALLEST_DETECTABLE_FACTOR
    places = [place_of(item.mask, reach_px=reach_px) for item in items]
    stored = attrs.get("reference_place")
    signs = np.eye(len(places))
    if stored is not None:
        x, y, xx, xy, yy = (float(value) for value in stored)
        places.append(Place(x, y, xx, xy, yy, reach_px))
        signs = np.column_stack([signs, -np.ones(len(items))])
    covariance = np.array([[alike(one, other) for other in places] for one in places]) * spread_c**2
    values, vectors = np.linalg.eigh(signs @ covariance @ signs.T)
    for value, vector in zip(values, vectors.T, strict=True):
        if value > 1e-10:
            yield "non-uniformity", "normal", vector * sqrt(value)
