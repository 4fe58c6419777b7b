"""Regions of one picture → rows of figures, each with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan, pi, sqrt, tan
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.measures.assumptions import DEFAULT_ASSUMPTIONS, Assumptions
from rewarm.measures.blur import blur_loss_c
from rewarm.measures.budget import (
    SHARED_SCOPES,
    Part,
    combined_parts,
    correlations,
    u_difference_c,
    u_region_mean_c,
)
from rewarm.measures.outline import Temperatures
from rewarm.measures.uncertainty import (
    assumed_words,
    picture_parts,
    place_parts,
    surface_parts,
)
from rewarm.regions import ANGIOSOMES, FINGERS, SIDES, TOES, Region, Regions, limb_whole
from rewarm.tables import MEASUREMENTS
from rewarm.thermogram import check_thermogram, temperature_c
from rewarm.version import __version__

MIN_REGION_PX: Final = 9
"""Fewer pixels with a temperature than 3 × 3 are no region: camera blur mixes in what lies around."""

TCI_REFERENCE_C: Final[Mapping[str, float]] = MappingProxyType({"lca": 26.1, "lpa": 25.7, "mca": 26.4, "mpa": 25.8})
"""Mean temperatures of the four angiosomes in healthy feet, °C (doi 10.1109/ACCESS.2019.2951356)."""

_OVERLAP_NOTE: Final = "published angiosomes overlap (up to 17 %): no partition"
_PERCENTILE_FACTOR: Final = 2.11
"""Standard error of a 5th or 95th percentile of normal noise, in units of sd/√n: √(0.05·0.95)/0.1031."""


@dataclass(frozen=True, eq=False)
class _Measured:
    """A region's valid values, float64, and the budget of their mean."""

    region: Region
    values: NDArray[np.float64]
    parts: tuple[Part, ...]
    mean_c: float
    notes: str


def measure(
    thermogram: xr.Dataset,
    regions: Regions,
    *,
    participant: str = "",
    visit: str = "",
    scan: str = "",
    time_s: float | None = None,
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
) -> pd.DataFrame:
    """Measure every region that was found in a still picture.

    ``thermogram`` has dims (y, x), ``regions.shape`` is its shape. The table has the columns of
    :data:`rewarm.tables.MEASUREMENTS`, one row a figure:

    - ``mean``, ``median``, ``p5``, ``p95`` (degC), ``sd`` (delta_degC, n − 1), ``area`` (mm2 where the size of a
      pixel on the skin is known, else px) and ``pixels`` (px) of each region;
    - ``distal_proximal_difference``: toe − arch in plantar views, finger − palm in palmar ones. The arch is the
      warmest and steadiest part of a sole and the farthest from where toes are injected;
    - ``distal_dorsal_difference``: toe − dorsum, finger − back of the hand, in dorsal views. In both a **negative**
      figure is a digit colder than the foot or hand; nothing is computed where the proximal region was not found;
    - ``left_right_difference``: left − right of the same region, with an empty side;
    - ``tci``: thermal change index of a foot, the mean over the four plantar angiosomes of |T − reference|
      (Hernandez-Contreras et al. 2019, doi 10.1109/ACCESS.2019.2951356); the published angiosomes overlap.

    Regions that were not found give no rows. Pixels without a temperature are left out, and ``method`` counts them. A
    region with fewer than 9 pixels of temperature gives its ``pixels`` alone. Sums are in float64.
    ``u`` is the standard uncertainty after :mod:`rewarm.measures.uncertainty`.

    Raises :class:`InvalidInputError` where regions and picture differ in shape, :class:`InvalidThermogramError` for
    anything but a valid still picture.
    """
    check_thermogram(thermogram)
    temperature = temperature_c(thermogram)
    if regions.shape != temperature.shape:
        raise InvalidInputError(
            f"regions: expected the picture's shape (y, x) = {temperature.shape}; found {regions.shape}. "
            "Find or draw the regions on this picture"
        )
    rows: list[dict[str, Any]] = []
    measured: dict[tuple[str, str], _Measured] = {}
    pixel_mm, size_note = pixel_size_mm(thermogram, regions)
    common = picture_parts(thermogram, assumptions=assumptions)
    lost_c = blur_loss_c(temperature, assumptions=assumptions)
    for region in sorted(regions.found, key=lambda item: SIDES.index(item.side)):
        found = _take(temperature, region, thermogram.attrs, common, lost_c, assumptions)
        if found.values.size < MIN_REGION_PX:
            rows.append(_too_small_row(found))
            continue
        measured[region.side, region.region] = found
        rows += _region_rows(found, pixel_mm, size_note, assumptions)
    rows += _proximal_rows(measured, regions)
    rows += _tci_rows(measured)
    rows += _side_rows(measured)
    table = pd.DataFrame(rows, columns=list(MEASUREMENTS))
    identity = {"participant": participant, "visit": visit, "scan": scan, "software": f"rewarm {__version__}"}
    for column, text in identity.items():
        table[column] = pd.Series([text] * len(table), dtype="str")
    table["time_s"] = np.full(len(table), nan if time_s is None else float(time_s))
    for column in ("side", "region", "metric", "unit", "method"):
        table[column] = table[column].astype("str")
    return table.astype({"value": np.float64, "u": np.float64, "n_px": np.int64})


def measurement_warnings(thermogram: xr.Dataset, regions: Regions) -> tuple[str, ...]:
    """What a person should know before reading the table of :func:`measure`, in plain words."""
    temperature = temperature_c(thermogram)
    sentences: list[str] = []
    small = [r for r in regions.found if np.isfinite(temperature[r.mask]).sum() < MIN_REGION_PX]
    if small:
        names = ", ".join(f"{r.side} {r.region}" for r in small)
        sentences.append(
            f"Too few pixels to measure (fewer than {MIN_REGION_PX}): {names}. "
            "Move the camera closer or use a finer one."
        )
    empty = {r.name: int(np.isnan(temperature[r.mask]).sum()) for r in regions.found}
    without = [f"{name.replace('_', ' ')} ({n})" for name, n in empty.items() if n]
    if without:
        sentences.append(f"Pixels without a temperature were left out: {', '.join(without)}.")
    return tuple(sentences)


def pixel_size_mm(thermogram: xr.Dataset, regions: Regions) -> tuple[float | None, str]:
    """The size of a pixel on the skin, mm, and how it is known; None where nothing plausible is known.

    Stated by the file or study, or 2·d·tan(field of view / 2) / width (pinhole camera, surface square to its axis).
    Cameras store a distance that nobody set, so the second is believed only for 0.1–3 m and where every whole foot
    in the picture comes out 120–330 mm long.
    """
    attrs = thermogram.attrs
    stated = attrs.get("pixel_size_mm")
    if stated is not None and 0.0 < float(stated) < 50.0:
        return float(stated), f"pixel of {float(stated):g} mm stated"
    fov_deg, distance_m = attrs.get("field_of_view_deg"), attrs.get("distance_m")
    if fov_deg is None or distance_m is None or not 3.0 < float(fov_deg) < 120.0 or not 0.1 <= float(distance_m) <= 3.0:
        return None, "size of a pixel unknown"
    pixel = 2000.0 * float(distance_m) * tan(float(fov_deg) * pi / 360.0) / regions.shape[1]
    lengths = [length * pixel for side in SIDES if (length := _foot_length_px(regions, side)) is not None]
    if not lengths:
        return None, "size of a pixel unknown: no whole foot in view to check the stored distance by"
    if not all(120.0 <= length <= 330.0 for length in lengths):
        found = " and ".join(f"{length:.0f}" for length in lengths)
        return None, f"size of a pixel unknown: the stored distance would make a foot {found} mm long"
    return pixel, f"pixel of {pixel:.2f} mm from field of view and distance"


def _foot_length_px(regions: Regions, side: str) -> float | None:
    """Longest extent of a foot of which both a toe and the heel were found."""
    if limb_whole(regions.limb) != "foot":
        return None
    mine = [item for item in regions.found if item.side == side and item.region not in ANGIOSOMES]
    names = {item.region for item in mine}
    if "heel" not in names or not names & set(TOES):
        return None
    union = np.any([item.mask for item in mine], axis=0)
    points = np.argwhere(union).astype(np.float64)
    if len(points) < 2:
        return None
    points -= points.mean(axis=0)
    along = points @ np.linalg.svd(np.cov(points.T))[0][:, 0]
    return float(np.ptp(along)) + 1.0


def _take(
    temperature: Temperatures,
    region: Region,
    attrs: dict[Any, Any],
    common: tuple[Part, ...],
    lost_c: NDArray[np.float64],
    assumptions: Assumptions,
) -> _Measured:
    """The region's values in float64, without those that are no temperature, and the budget of their mean."""
    inside = temperature[region.mask].astype(np.float64)
    values = inside[np.isfinite(inside)]
    notes = [region.drawn_by] if region.drawn_by else []
    if values.size < inside.size:
        notes.append(f"{inside.size - values.size} of {inside.size} pixels without temperature left out")
    if region.region in ANGIOSOMES:
        notes.append(_OVERLAP_NOTE)
    if values.size < MIN_REGION_PX:
        return _Measured(region, values, (), nan, "; ".join(notes))
    mean_c = float(values.mean())
    parts = (
        *common,
        *surface_parts(mean_c, attrs, assumptions=assumptions),
        *place_parts(
            temperature,
            region.mask,
            attrs,
            confidence=region.confidence,
            lost_c=lost_c,
            assumptions=assumptions,
        ),
    )
    return _Measured(region, values, parts, mean_c, "; ".join(notes))


def _row(
    side: str, region: str, metric: str, value: float, unit: str, u: float, n_px: int, method: str
) -> dict[str, Any]:
    return {
        "side": side,
        "region": region,
        "metric": metric,
        "value": value,
        "unit": unit,
        "u": u,
        "n_px": n_px,
        "method": method,
    }


def _too_small_row(found: _Measured) -> dict[str, Any]:
    n = int(found.values.size)
    note = f"too small to measure: {n} pixels with a temperature, at least {MIN_REGION_PX} needed"
    method = "; ".join(filter(None, (found.notes, note)))
    return _row(found.region.side, found.region.region, "pixels", float(n), "px", nan, n, method)


def _region_rows(
    found: _Measured, pixel_mm: float | None, size_note: str, assumptions: Assumptions
) -> list[dict[str, Any]]:
    values, n = found.values, int(found.values.size)
    p5, median, p95 = (float(value) for value in np.percentile(values, (5, 50, 95)))
    shared_notes = "; ".join(filter(None, (found.notes, _budget_note(found.parts))))
    figures = (
        ("mean", found.mean_c, "degC", u_region_mean_c(found.parts)),
        ("median", median, "degC", _u_order_c(found.parts, sqrt(pi / 2))),
        ("sd", float(values.std(ddof=1)), "delta_degC", nan),
        ("p5", p5, "degC", _u_order_c(found.parts, _PERCENTILE_FACTOR)),
        ("p95", p95, "degC", _u_order_c(found.parts, _PERCENTILE_FACTOR)),
    )
    rows = [
        _row(found.region.side, found.region.region, metric, value, unit, u, n, shared_notes)
        for metric, value, unit, u in figures
    ]
    area_px = int(found.region.mask.sum())
    u_area_px = assumptions.edge_px / sqrt(3.0) * _outline_px(found.region)
    scale, unit = (1.0, "px") if pixel_mm is None else (pixel_mm**2, "mm2")
    area_notes = "; ".join(filter(None, (found.region.drawn_by, size_note)))
    side, region = found.region.side, found.region.region
    rows.append(_row(side, region, "area", area_px * scale, unit, u_area_px * scale, area_px, area_notes))
    rows.append(_row(side, region, "pixels", float(n), "px", nan, n, found.notes))
    return rows


def _proximal_rows(measured: Mapping[tuple[str, str], _Measured], regions: Regions) -> list[dict[str, Any]]:
    """Toe − arch or toe − dorsum; finger − palm or finger − back of the hand. Negative: a colder digit."""
    hand = limb_whole(regions.limb) == "hand"
    digits = FINGERS if hand else TOES
    dorsal = regions.view == "dorsal"
    metric = "distal_dorsal_difference" if dorsal else "distal_proximal_difference"
    base = {(False, False): "arch", (False, True): "dorsum", (True, False): "palm", (True, True): "hand_dorsum"}[
        hand, dorsal
    ]
    rows = []
    for side in SIDES:
        proximal = measured.get((side, base))
        if proximal is None:
            continue
        for digit in digits:
            distal = measured.get((side, digit))
            if distal is not None:
                rows.append(
                    _difference_row(side, digit, metric, distal, proximal, f"{digit} − {base}; negative: colder digit")
                )
    return rows


def _side_rows(measured: Mapping[tuple[str, str], _Measured]) -> list[dict[str, Any]]:
    return [
        _difference_row("", name, "left_right_difference", left, measured["right", name], "left − right")
        for (side, name), left in measured.items()
        if side == "left" and ("right", name) in measured
    ]


def _difference_row(
    side: str, region: str, metric: str, minuend: _Measured, subtrahend: _Measured, note: str
) -> dict[str, Any]:
    drawn = dict.fromkeys(filter(None, (minuend.notes, subtrahend.notes)))
    u = u_difference_c(minuend.parts, subtrahend.parts)
    n = int(minuend.values.size + subtrahend.values.size)
    return _row(side, region, metric, minuend.mean_c - subtrahend.mean_c, "delta_degC", u, n, "; ".join((*drawn, note)))


def _tci_rows(measured: Mapping[tuple[str, str], _Measured]) -> list[dict[str, Any]]:
    """Thermal change index, one a foot, where all four angiosomes were measured."""
    rows = []
    for side in SIDES:
        zones = {zone: measured.get((side, zone)) for zone in ANGIOSOMES}
        present = {zone: found for zone, found in zones.items() if found is not None}
        if len(present) < len(ANGIOSOMES):
            continue
        off_c = {zone: found.mean_c - TCI_REFERENCE_C[zone] for zone, found in present.items()}
        value = sum(abs(off) for off in off_c.values()) / len(off_c)
        n = sum(int(found.values.size) for found in present.values())
        drawn = dict.fromkeys(found.notes for found in present.values())
        note = "mean |T − reference| over four angiosomes, doi 10.1109/ACCESS.2019.2951356"
        rows.append(
            _row(side, "foot", "tci", value, "delta_degC", _u_tci_c(off_c, present), n, "; ".join((*drawn, note)))
        )
    return rows


def _u_tci_c(off_c: Mapping[str, float], zones: Mapping[str, _Measured]) -> float:
    """Standard uncertainty of the mean of |off|, each independent cause moved by ± its u (GUM 5.1.3, note 2).

    The larger of both effects counts. The absolute value bends at the references, where derivatives would let the
    camera's offset cancel though it does not. Causes that zones have in common move them together: what the picture
    shares, non-uniformity by the zones' distance, and noise by the pixels that overlapping zones share, as principal
    components of their covariance.
    """
    now = float(np.mean(np.abs(list(off_c.values()))))
    variance = 0.0
    for shift in _independent_shifts(list(zones.values())):
        effects = [
            abs(float(np.mean(np.abs(np.array(list(off_c.values())) + sign * shift))) - now) for sign in (1.0, -1.0)
        ]
        variance += max(effects) ** 2
    return sqrt(variance)


def _independent_shifts(zones: Sequence[_Measured]) -> list[NDArray[np.float64]]:
    """Vectors (zone,), °C: how far each of the independent causes moves each zone's mean, at one standard deviation."""
    shared_px = np.array([[int((a.region.mask & b.region.mask).sum()) for b in zones] for a in zones], dtype=np.int64)
    groups: dict[tuple[str, str], list[tuple[float, int, Part]]] = {}
    for i, zone in enumerate(zones):
        for part in zone.parts:
            groups.setdefault((part.scope, part.name), []).append((part.sign * part.u_c, i, part))
    shifts: list[NDArray[np.float64]] = []
    for (scope, _), entries in groups.items():
        loadings = np.zeros((len(zones), len(entries)))
        for column, (signed_c, i, _part) in enumerate(entries):
            loadings[i, column] = signed_c
        if scope in SHARED_SCOPES:
            shifts.append(loadings.sum(axis=1))
            continue
        matrix = correlations(entries, shared_px if scope == "pixel" else None)
        values, vectors = np.linalg.eigh(loadings @ matrix @ loadings.T)
        shifts += [vectors[:, k] * sqrt(values[k]) for k in range(len(values)) if values[k] > 0]
    return shifts


def _u_order_c(parts: tuple[Part, ...], factor: float) -> float:
    """As of the mean, with the noise of an order statistic instead of a mean's."""
    budget = combined_parts([(1.0, parts)])
    return sqrt(sum((part.u_c * (factor if part.scope == "pixel" else 1.0)) ** 2 for part in budget))


def _budget_note(parts: tuple[Part, ...]) -> str:
    """The part that decides how far the absolute temperature can be trusted, and everything that was assumed."""
    widest = max(combined_parts([(1.0, parts)]), key=lambda part: part.u_c)
    assumed = assumed_words(parts)
    return f"u mostly from {widest.name} ({widest.source})" + (f"; assumed: {assumed}" if assumed else "")


def _outline_px(region: Region) -> float:
    """Length of a region's outline, px: how many pixels one step outwards or inwards would add or take."""
    padded = np.pad(region.mask, 1)
    steps = int((padded[1:] != padded[:-1]).sum() + (padded[:, 1:] != padded[:, :-1]).sum())
    return steps * pi / 4.0  # a staircase is 4/π longer than the curve it follows, on average over directions
