"""Before ↔ after: how far the alignment lies from a known deformation, and how far usual ways lie from it.

Simulated soles, 320 × 240 pixels. The scene before is drawn four times finer than the picture; the picture after is
that scene seen through a deformation written down as a formula (turn, scale, shear, shift, and a sum of random smooth
bumps), so that labels, landmarks and temperatures of both pictures come from one drawing and the truth is the formula.
Every region's temperature changes between the pictures by its own amount, −8 to +8 °C, and both have noise.

Errors are distances in pixels of the picture after, over all pixels of each foot before. Ways compared:
 rewarm      landmarks and outlines of the regions, affine then thin-plate spline; regions drawn truly, drawn with
               every border and landmark off by one or two pixels, or as found in the two pictures
               (also where no region cools to less than 2 °C above the room)
 no landmarks  the same from the true outlines alone, without the six points of the toes' webs and the heel
 affine      the robust affine map of the same landmarks and centroids, by least squares
 ECC         OpenCV findTransformECC, affine, on the temperatures, started from nothing
 phase       a shift by phase correlation (scikit-image) of the temperatures
 TV-L1       scikit-image's optical flow of the temperatures, started from nothing
 TV-L1 mask  the same on smoothed masks of the feet, which do not change with temperature, after the affine map

Run: python benchmarks/registration.py            (about five minutes)
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.registration import optical_flow_tvl1, phase_cross_correlation

from rewarm import find_regions
from rewarm.alignment import align
from rewarm.alignment.shapes import anchors, side_shape
from rewarm.alignment.spline import robust_affine
from rewarm.regions import LEGEND, SIDES, SOLE_REGIONS, Region, Regions
from rewarm.thermogram import Provenance, make_thermogram
from rewarm.twin import SolePose, draw_soles
from rewarm.twin.phantom import random_sole

SHAPE = (240, 320)
FINE = 4
LEVEL_C = {"toe1": 27.0, "toe2": 26.0, "toe3": 25.8, "toe4": 25.5, "toe5": 26.0, "ball": 28.5, "arch": 30.5, "heel": 28}
ROOM_C = 22.0
Inverse = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Pair:
    """Two pictures of the same soles; ``forward`` takes points (n, 2) of the first to the second."""

    before: Regions
    after: Regions
    before_c: np.ndarray
    after_c: np.ndarray
    forward: Callable[[np.ndarray], np.ndarray]


def deformation(rng: np.random.Generator, bend_px: float) -> Inverse:
    """After → before: an affine map, and bumps whose displacements have a root mean square of ``bend_px`` or so."""
    middle = np.array([SHAPE[1], SHAPE[0]]) / 2
    angle, scale, shear = np.deg2rad(rng.uniform(-10, 10)), rng.uniform(0.92, 1.08), rng.uniform(-0.05, 0.05)
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = matrix @ np.array([[1.0, shear], [0.0, 1.0]])
    shift = rng.uniform(-8, 8, 2)
    centres = rng.uniform((0, 0), (SHAPE[1], SHAPE[0]), (24, 2))
    widths = rng.uniform(35.0, 60.0, 24)
    pushes = rng.normal(0, 1.0, (24, 2))

    def bumps(points: np.ndarray) -> np.ndarray:
        near = np.exp(-0.5 * ((points[:, None] - centres[None]) ** 2).sum(-1) / widths**2)
        return near @ pushes

    grid = np.stack(np.meshgrid(np.arange(0, SHAPE[1], 10.0), np.arange(0, SHAPE[0], 10.0)), -1).reshape(-1, 2)
    size = bend_px / np.sqrt((bumps(grid) ** 2).sum(-1).mean())
    return lambda points: (points - middle) @ matrix.T + middle + shift + size * bumps(points)


def inverted(inverse: Inverse) -> Callable[[np.ndarray], np.ndarray]:
    """The other direction, by Newton's method with numerical derivatives."""

    steps = 0.01 * np.eye(2)

    def forward(points: np.ndarray) -> np.ndarray:
        found = points.copy()
        for _ in range(12):
            off = inverse(found) - points
            jx, jy = ((inverse(found + step) - inverse(found - step)) / 0.02 for step in steps)
            determinant = jx[:, 0] * jy[:, 1] - jx[:, 1] * jy[:, 0]
            dx = (off[:, 0] * jy[:, 1] - off[:, 1] * jy[:, 0]) / determinant
            dy = (jx[:, 0] * off[:, 1] - jx[:, 1] * off[:, 0]) / determinant
            found = found - np.stack([dx, dy], 1)
        assert np.abs(inverse(found) - points).max() < 1e-6
        return found

    return forward


def simulated_pair(seed: int, bend_px: float = 4.0, *, above_room_c: float | None = None) -> Pair:
    """One pair; with ``above_room_c``, no region cools to less than that above the room."""
    rng = np.random.default_rng(seed)
    one = random_sole(rng)
    poses = {"left": (218, 215), "right": (102, 215)}
    fine = tuple(n * FINE for n in SHAPE)
    drawn = draw_soles(
        {s: (one, SolePose(x * FINE, y * FINE, rng.uniform(-5, 5))) for s, (x, y) in poses.items()},
        shape=fine,
        mm_per_px=1.35 / FINE,
    )
    labels = drawn.regions.label_image()
    forward_inverse = deformation(rng, bend_px)
    identity: Inverse = lambda points: points  # noqa: E731
    forward = inverted(forward_inverse)
    marks = {name: np.array([xy]) / FINE for name, xy in drawn.regions.landmarks.items()}
    after_marks = {name: forward(xy)[0] for name, xy in marks.items()}
    changes = {f"{s}_{r}": rng.uniform(-8, 8) for s in SIDES for r in SOLE_REGIONS}
    room_after = ROOM_C + rng.uniform(-3, 3)
    if above_room_c is not None:
        least = room_after + above_room_c
        changes = {name: max(change, least - LEVEL_C[name.split("_")[1]]) for name, change in changes.items()}
    before, before_c = seen(labels, identity, {name: xy[0] for name, xy in marks.items()}, {}, ROOM_C, rng)
    after, after_c = seen(labels, forward_inverse, after_marks, changes, room_after, rng)
    return Pair(before, after, before_c, after_c, forward)


def seen(labels, inverse, landmarks, changes, room_c, rng):
    """The fine drawing through ``inverse``: each pixel's commonest label and its mean temperature."""
    n = 3
    y, x = (np.mgrid[: SHAPE[0] * n, : SHAPE[1] * n] + 0.5) / n
    places = inverse(np.stack([x.ravel(), y.ravel()], 1)) * FINE
    column, row = (np.floor(places).astype(int)).T
    inside = (column >= 0) & (row >= 0) & (column < labels.shape[1]) & (row < labels.shape[0])
    code = np.zeros(len(places), dtype=np.uint8)
    code[inside] = labels[row[inside], column[inside]]
    code = code.reshape(SHAPE[0], n, SHAPE[1], n).swapaxes(1, 2).reshape(*SHAPE, n * n)
    table = np.full(256, room_c)
    items = []
    names = [f"{s}_{r}" for s in SIDES for r in SOLE_REGIONS]
    votes = np.stack([(code == LEGEND[name]).sum(-1) for name in names])
    foot = votes.sum(0) * 2 >= n * n
    owner = votes.argmax(0)
    for i, name in enumerate(names):
        side, region = name.split("_")
        table[LEGEND[name]] = LEVEL_C[region] + changes.get(name, 0.0)
        items.append(Region(side, region, foot & (owner == i), 1.0, "drawn"))
    for side in SIDES:
        mine = [item.mask for item in items if item.side == side]
        items.append(Region(side, "foot", np.any(mine, axis=0), 1.0, "drawn"))
    picture = cv2.GaussianBlur(table[code].mean(-1), (0, 0), 0.8) + rng.normal(0, 0.05, SHAPE)
    points = {name: (float(x), float(y)) for name, (x, y) in landmarks.items()}
    return Regions(SHAPE, "feet", "plantar", tuple(items), points), picture.astype(np.float32)


def truth(pair: Pair, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns of the foot before, and where its pixels truly lie after."""
    foot = pair.before.get(side, "foot")
    rows, columns = np.nonzero(foot.mask)
    return rows, columns, pair.forward(np.stack([columns + 0.5, rows + 0.5], 1))


def as_aligned(pair: Pair, before: Regions, after: Regions) -> dict[str, np.ndarray]:
    alignment = align(before, after)
    errors = {}
    for side, found in alignment.sides.items():
        rows, columns, wanted = truth(pair, side)
        window = found.window
        here = (rows >= window[0].start) & (rows < window[0].stop) & (columns >= window[1].start)
        here &= columns < window[1].stop
        row, column = rows[here] - window[0].start, columns[here] - window[1].start
        got = np.stack([found.map_x[row, column], found.map_y[row, column]], 1) + 0.5
        errors[side] = np.linalg.norm(got - wanted[here], axis=1)
    return errors


def by_map(pair: Pair, move: Callable[[np.ndarray], np.ndarray]) -> dict[str, np.ndarray]:
    errors = {}
    for side in SIDES:
        rows, columns, wanted = truth(pair, side)
        errors[side] = np.linalg.norm(move(np.stack([columns + 0.5, rows + 0.5], 1)) - wanted, axis=1)
    return errors


def affine_only(pair: Pair) -> dict[str, np.ndarray]:
    errors = {}
    for side in SIDES:
        matrix = affine_of(pair, side)
        errors[side] = by_map(pair, lambda points, m=matrix: points @ m[:, :2].T + m[:, 2])[side]
    return errors


def affine_of(pair: Pair, side: str) -> np.ndarray:
    one, two = side_shape(pair.before, side), side_shape(pair.after, side)
    return robust_affine(*anchors(one, two, list(one.masks)))


def ecc(pair: Pair) -> dict[str, np.ndarray]:
    start = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 300, 1e-6)
    try:
        _, matrix = cv2.findTransformECC(
            pair.before_c.copy(), pair.after_c.copy(), start, cv2.MOTION_AFFINE, criteria, None, 5
        )
    except cv2.error:
        return {}
    # the matrix is in pixel indices
    return by_map(pair, lambda points: (points - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5)


def phase(pair: Pair) -> dict[str, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shift = phase_cross_correlation(pair.after_c, pair.before_c, upsample_factor=10)[0]
    return by_map(pair, lambda points: points + shift[::-1])


def tv_l1(pair: Pair) -> dict[str, np.ndarray]:
    v, u = optical_flow_tvl1(pair.before_c, pair.after_c)
    return along_flow(pair, u, v)


def along_flow(pair: Pair, u: np.ndarray, v: np.ndarray) -> dict[str, np.ndarray]:
    def move(points: np.ndarray) -> np.ndarray:
        column, row = (points - 0.5).astype(int).T
        return points + np.stack([u[row, column], v[row, column]], 1)

    return by_map(pair, move)


def tv_l1_masks(pair: Pair) -> dict[str, np.ndarray]:
    errors = {}
    for side in SIDES:
        matrix = affine_of(pair, side)
        index = matrix.copy()
        index[:, 2] += index[:, :2].sum(1) * 0.5 - 0.5
        shapes = [
            cv2.GaussianBlur(r.get(side, "foot").mask.astype(np.float32), (0, 0), 2.0)
            for r in (pair.before, pair.after)
        ]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(shapes[1], index, SHAPE[::-1], flags=flags)
        v, u = optical_flow_tvl1(shapes[0], moved)
        rows, columns, wanted = truth(pair, side)
        points = np.stack([columns + 0.5 + u[rows, columns], rows + 0.5 + v[rows, columns]], 1)
        errors[side] = np.linalg.norm(points @ matrix[:, :2].T + matrix[:, 2] - wanted, axis=1)
    return errors


def found_by_rewarm(pair: Pair) -> dict[str, np.ndarray]:
    found = [find_regions(thermogram(picture)) for picture in (pair.before_c, pair.after_c)]
    return as_aligned(pair, found[0], found[1])


def as_drawn(pair: Pair, off_px: float) -> dict[str, np.ndarray]:
    """Regions and landmarks as two people might draw them: every border off by ``off_px`` (root mean square)."""
    rng = np.random.default_rng(int(pair.before_c[0, 0] * 1e6) % 2**31)
    return as_aligned(pair, *(redrawn(regions, off_px, rng) for regions in (pair.before, pair.after)))


def redrawn(regions: Regions, off_px: float, rng: np.random.Generator) -> Regions:
    field = gaussian_filter(rng.normal(size=(2, *SHAPE)), (0, 6, 6))
    field *= off_px / np.sqrt((field**2).sum(0).mean())
    places = np.mgrid[: SHAPE[0], : SHAPE[1]] + field
    items = tuple(
        replace(item, mask=map_coordinates(item.mask.astype(np.float32), places, order=1, mode="nearest") > 0.5)
        for item in regions.items
    )
    marks = {}
    for name, (x, y) in regions.landmarks.items():
        dx, dy = rng.normal(0, off_px / np.sqrt(2), 2)
        marks[name] = (x + dx, y + dy)
    return replace(regions, items=items, landmarks=marks)


def thermogram(picture: np.ndarray) -> xr.Dataset:
    return make_thermogram(picture, provenance=Provenance(file="made.npy", sha256="0" * 64, reader="-", version="0"))


def ways() -> dict[str, Callable[[Pair], dict[str, np.ndarray]]]:
    return {
        "rewarm": lambda pair: as_aligned(pair, pair.before, pair.after),
        "rewarm, no landmarks": lambda pair: as_aligned(
            pair, replace(pair.before, landmarks={}), replace(pair.after, landmarks={})
        ),
        "rewarm, borders drawn 1 px off": lambda pair: as_drawn(pair, 1.0),
        "rewarm, borders drawn 2 px off": lambda pair: as_drawn(pair, 2.0),
        "rewarm, regions as found": found_by_rewarm,
        "rewarm, as found, 2 °C warm": found_by_rewarm,
        "not aligned": lambda pair: by_map(pair, lambda points: points),
        "affine": affine_only,
        "ECC": ecc,
        "phase": phase,
        "TV-L1": tv_l1,
        "TV-L1 mask": tv_l1_masks,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--first-seed", type=int, default=100, help="seeds below 20 were in view during development")
    parser.add_argument("--bend-px", type=float, default=4.0, help="root mean square of the bumps' displacements")
    parser.add_argument("--only", nargs="*", help="names of the ways to run")
    given = parser.parse_args()
    means: dict[str, list[float]] = defaultdict(list)
    tails: dict[str, list[float]] = defaultdict(list)
    for seed in range(given.first_seed, given.first_seed + given.pairs):
        pair = simulated_pair(seed, given.bend_px)
        warm = simulated_pair(seed, given.bend_px, above_room_c=2.0)
        for name, way in ways().items():
            if given.only and name not in given.only:
                continue
            for error in way(warm if name.endswith("warm") else pair).values():
                means[name].append(float(error.mean()))
                tails[name].append(float(np.percentile(error, 95)))
    print(
        f"{given.pairs} pairs, {2 * given.pairs} feet; bumps {given.bend_px:g} px; errors in px of the picture after\n"
    )
    print("| way | feet aligned | mean error, median foot | worst foot | 95th percentile in a foot, median | worst |")
    print("|---|---|---|---|---|---|")
    for name, mean in means.items():
        tail = tails[name]
        print(
            f"| {name} | {len(mean)} of {2 * given.pairs} | {np.median(mean):.2f} | {max(mean):.2f} "
            f"| {np.median(tail):.2f} | {max(tail):.2f} |"
        )


if __name__ == "__main__":
    main()
