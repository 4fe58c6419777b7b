"""Feet of two pictures aligned by their regions alone: what was warm may have turned cold, shape is what stays.

Intensity is not conserved between visits, that being the question, so no image similarity is used. Landmarks and the
outlines of the regions give corresponding points and lines, and :mod:`rewarm.alignment.spline` the map through them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from rewarm.alignment.shapes import FRAME_PX, WHOLE, Outline, SideShape, anchors, outlines, side_shape
from rewarm.alignment.spline import Warp, fit_warp, robust_affine
from rewarm.errors import InvalidInputError
from rewarm.regions import Mask, Regions, limb_sides, limb_whole

MIN_COMMON_REGIONS: Final = 3
"""Fewer common regions do not fix a foot's pose and shape."""

MAX_RESIDUAL_SHARE: Final = 0.04
"""Outlines further apart than this share of the foot's length (95th percentile) are not the same outline."""

MIN_RESIDUAL_LIMIT_PX: Final = 2.5
"""In small pictures a pixel is a large share of a foot; outlines are never asked to agree better than this."""

TILT_STRETCH: Final = 1.155
"""1/cos 30°, 30° being the largest viewing angle that protocols allow (TISEM, doi 10.1016/j.jtherbio.2017.07.006)."""

MAX_STRETCH: Final = 1.34
"""Two such angles, across each other."""

MAX_STRETCH_BETWEEN_PEOPLE: Final = 1.6
"""Short broad soles in real pictures are up to 0.62 times as wide as long, the atlas 0.40 times; a tilt adds some."""

MIN_AREA_RATIO: Final = 0.04
"""Feet whose areas in pixels differ by more than 25 times were not both found."""

LEAST_JACOBIAN_SHARE: Final = 0.05
"""A map that shrinks a spot to less than this share of what it does to the rest of the foot is about to fold."""

GRID_PX: Final = 8

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SideAlignment:
    """One foot: where each of its pixels before lies after.

    ``window`` are the slices (y, x) of the picture before that hold the foot; ``map_x`` and ``map_y``, float32 of the
    window's shape, are the column and row in the picture after, as pixel-centre indices (what cv2.remap takes).
    ``residual_mean_px`` and ``residual_p95_px`` are distances of the two outlines after alignment, both ways, in
    pixels of the picture after. ``before_mask`` leaves out regions that were not found after. ``stretch`` is how much
    more one direction was scaled than the other; ``points_n`` counts the corresponding points. ``least_jacobian`` is
    the smallest change of area within the foot as a share of the usual one (median): 1 where nothing bends, 0 where
    the map begins to fold.
    """

    side: str
    window: tuple[slice, slice]
    map_x: NDArray[np.float32]
    map_y: NDArray[np.float32]
    before_mask: Mask
    after_mask: Mask
    residual_mean_px: float
    residual_p95_px: float
    stretch: float
    points_n: int
    least_jacobian: float


@dataclass(frozen=True, eq=False)
class Alignment:
    """Before ↔ after, foot by foot. ``refused`` says, per side left out, why; shapes are (y, x) in pixels."""

    before_shape: tuple[int, int]
    after_shape: tuple[int, int]
    sides: Mapping[str, SideAlignment]
    refused: Mapping[str, str]

    @property
    def error_px(self) -> dict[str, float]:
        """Mean residual distance of the outlines, per aligned side, in pixels of the picture after."""
        return {side: aligned.residual_mean_px for side, aligned in self.sides.items()}

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence per side that was left out, or whose shape is doubtful."""
        refused = [f"The {side} side was not aligned: {reason}." for side, reason in self.refused.items()]
        doubtful = [
            f"The {side} foot or hand is stretched {aligned.stretch:.2f} times more in one direction than in the other "
            "between the scans: a camera was tilted by more than 30°, or cold toes were missed in one of them. Look at "
            "the outlines before reading the map of change."
            for side, aligned in self.sides.items()
            if aligned.stretch > TILT_STRETCH
        ]
        return (*refused, *doubtful)


def align(before: Regions, after: Regions, *, margin_share: float = 0.0, one_person: bool = True) -> Alignment:
    """Find where each point of the feet (or hands) of ``before`` lies in ``after``.

    ``margin_share`` widens each side's window by that share of the limb's length, for what may lie beside what was
    found; up to about 0.2 the map is held by the limb, beyond it is not. Where the pictures show two people
    (``one_person`` False), what lies off is their build and not a border drawn elsewhere, so that it bends the map in
    full, and one direction may be stretched up to 1.6 times more than the other.

    Only the regions' shapes and landmarks are used. A side that cannot be aligned is left out with its reason: fewer
    than three regions in common, a mirror image, a map that folds, outlines that still disagree afterwards.

    Raises :class:`InvalidInputError` for other limbs or views.
    """
    problems: list[str] = []
    sides = [side for side in limb_sides(before.limb) if side in limb_sides(after.limb)]
    if limb_whole(before.limb) != limb_whole(after.limb) or not sides:
        problems.append(f"limb: expected the same in both; found {before.limb} before and {after.limb} after")
    if before.view != after.view:
        problems.append(f"view: expected the same in both; found {before.view} before and {after.view} after")
    if problems:
        raise InvalidInputError("the two scans cannot be aligned. " + "; ".join(problems))
    aligned: dict[str, SideAlignment] = {}
    refused: dict[str, str] = {}
    for side in sides:
        result = _align_side(side, side_shape(before, side), side_shape(after, side), margin_share, one_person)
        if isinstance(result, str):
            refused[side] = result
        else:
            aligned[side] = result
    return Alignment(before.shape, after.shape, aligned, refused)


def _align_side(
    side: str, before: SideShape, after: SideShape, margin_share: float, one_person: bool
) -> SideAlignment | str:
    """The aligned side, or the reason for refusing it."""
    names = [name for name in before.masks if name in after.masks]
    if len(names) < MIN_COMMON_REGIONS:
        return f"{len(names)} of its regions were found in both scans, at least {MIN_COMMON_REGIONS} are needed"
    anchors_before, anchors_after = anchors(before, after, names)
    determinant = float(np.linalg.det(robust_affine(anchors_before, anchors_after)[:, :2]))
    if determinant <= 0:
        return "one scan is the mirror image of the other, or its regions are in another order"
    stretch = _stretch(robust_affine(anchors_before, anchors_after))
    if stretch > (MAX_STRETCH if one_person else MAX_STRETCH_BETWEEN_PEOPLE):
        unlikely = "tilt of a camera" if one_person else "difference in build"
        return (
            f"it would have to be stretched {stretch:.2f} times more in one direction than in the other, which no "
            f"{unlikely} explains: check the regions of both scans"
        )
    if not MIN_AREA_RATIO < determinant < 1 / MIN_AREA_RATIO:
        return f"its area differs by a factor of {determinant:.2g} between the scans"
    lines_before, lines_after = outlines(before, names), outlines(after, names)
    if WHOLE not in lines_before or WHOLE not in lines_after:
        return "its outline lies on the picture's frame"
    warp, points_n = fit_warp(
        anchors_before,
        anchors_after,
        lines_before,
        lines_after,
        length_px=before.length_px,
        forgetful=one_person,
    )
    window = _window(before.whole, round(margin_share * before.length_px))
    grid = _grid(window)
    moved = warp(grid.reshape(-1, 2)).reshape(grid.shape)
    least_jacobian = _least_jacobian(moved, before.whole, window)
    if least_jacobian <= LEAST_JACOBIAN_SHARE:
        return "its shape differs so much between the scans that a map between them would fold"
    mean_px, p95_px = _residuals(warp, lines_before[WHOLE], lines_after[WHOLE], after_shape=after.whole.shape)
    limit_px = max(MIN_RESIDUAL_LIMIT_PX, MAX_RESIDUAL_SHARE * after.length_px)
    if p95_px > limit_px:
        return (
            f"its outlines still lie {p95_px:.1f} px apart (95th percentile; at most {limit_px:.1f} px is accepted), "
            "so check the regions of both scans"
        )
    map_x, map_y = _dense(moved, window)
    missing = [mask for name, mask in before.masks.items() if name not in after.masks]
    before_mask = before.whole & ~np.any(missing, axis=0) if missing else before.whole
    return SideAlignment(
        side=side,
        window=window,
        map_x=map_x,
        map_y=map_y,
        before_mask=before_mask,
        after_mask=after.whole,
        residual_mean_px=mean_px,
        residual_p95_px=p95_px,
        stretch=stretch,
        points_n=points_n,
        least_jacobian=least_jacobian,
    )


def _stretch(affine: Points) -> float:
    """How much more an affine map (2, 3) scales one direction than the one across it; 1 for a similarity."""
    singular = np.linalg.svd(affine[:, :2], compute_uv=False)
    return float(singular[0] / singular[1])


def _window(mask: Mask, margin_px: int) -> tuple[slice, slice]:
    """The rows and columns that hold the foot, and a margin within the picture."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(int(rows[0]) - margin_px, 0), min(int(rows[-1]) + 1 + margin_px, mask.shape[0])),
        slice(max(int(columns[0]) - margin_px, 0), min(int(columns[-1]) + 1 + margin_px, mask.shape[1])),
    )


def _nodes(part: slice) -> Points:
    """Node positions of the coarse grid along one axis, pixel-edge coordinates; at least four, for a cubic spline."""
    n = max(4, int(np.ceil((part.stop - part.start) / GRID_PX)) + 1)
    return np.asarray(part.start + GRID_PX * np.arange(n, dtype=np.float64))


def _grid(window: tuple[slice, slice]) -> Points:
    """The coarse grid's nodes (rows, columns, 2), x and y."""
    x, y = np.meshgrid(_nodes(window[1]), _nodes(window[0]))
    return np.dstack([x, y])


def _least_jacobian(moved: Points, mask: Mask, window: tuple[slice, slice]) -> float:
    """The map's least Jacobian within the foot over its median there; 0 or less where a part is turned over."""
    by_row, by_column = np.diff(moved, axis=0) / GRID_PX, np.diff(moved, axis=1) / GRID_PX
    jacobian = by_column[:-1, :, 0] * by_row[:, :-1, 1] - by_column[:-1, :, 1] * by_row[:, :-1, 0]
    holds_foot = np.zeros(jacobian.shape, dtype=np.bool_)
    rows, columns = np.nonzero(mask[window])
    holds_foot[rows // GRID_PX, columns // GRID_PX] = True
    inside = jacobian[holds_foot]
    usual = float(np.median(inside))
    return float(inside.min()) / usual if usual > 0 else 0.0


def _residuals(warp: Warp, before: Outline, after: Outline, *, after_shape: tuple[int, int]) -> tuple[float, float]:
    """Mean and 95th percentile of the distances between the two outlines after alignment, both ways, px of after.

    What the frame of the picture after cuts off has no counterpart and is not counted.
    """
    moved = warp(before.points)
    height, width = after_shape
    inside = (moved > FRAME_PX).all(axis=1) & (moved < (width - FRAME_PX, height - FRAME_PX)).all(axis=1)
    there = np.asarray(cKDTree(after.points).query(moved[inside])[0])
    back = np.asarray(cKDTree(moved).query(after.points)[0])
    distances = np.concatenate([there, back])
    return float(distances.mean()), float(np.percentile(distances, 95))


def _dense(moved: Points, window: tuple[slice, slice]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The map at every pixel of the window, as pixel-centre indices of the picture after."""
    ys, xs = _nodes(window[0]), _nodes(window[1])
    rows = np.arange(window[0].start, window[0].stop) + 0.5
    columns = np.arange(window[1].start, window[1].stop) + 0.5
    at_rows = np.interp(rows, ys, np.arange(len(ys)))
    at_columns = np.interp(columns, xs, np.arange(len(xs)))
    places = np.meshgrid(at_rows, at_columns, indexing="ij")
    shift = moved - _grid(window).reshape(moved.shape)  # small and smooth, so that the spline's border does no harm
    shift_x, shift_y = (map_coordinates(shift[..., axis], places, order=3, mode="mirror") for axis in (0, 1))
    map_x = (columns[None, :] + shift_x - 0.5).astype(np.float32)
    map_y = (rows[:, None] + shift_y - 0.5).astype(np.float32)
    return map_x, map_y
