"""What the network learns from: layouts generated once and kept in shards, painted anew every time they are seen.

A batch is a function of (seed, number of the batch), so that training can go on exactly where it stopped. NumPy only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass, replace
from functools import partial
from itertools import count
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.close_up import (
    CLOSE_UP_SHAPE,
    SMALLEST_SCALE,
    TOWARDS_DIGITS,
    Frame,
    close_up_channels,
    frame_around,
    to_mirror,
)
from rewarm.anatomy.network_input import NETWORK_SHAPE, border_median, filled, fitting_of, normalised, overview
from rewarm.twin.scenes import (
    BARE_LEGS,
    CALM,
    HELD_OUT,
    LANDMARKS,
    ORDINARY,
    PARTS,
    TRAINING,
    Layout,
    Ranges,
    paint,
    random_layout,
)

Batch = dict[str, NDArray]

SHARD: Final = 96
"""Layouts in a file: a multiple of every sensible size of batch."""
CLOSE_UPS: Final = 2
"""Of each scene."""
PEAK_SIGMA_PX: Final = 1.5
"""Width of a landmark's peak, in pixels of the half-resolution maps."""
_CALM_SHARE: Final = 0.5
_MOST_LIMBS: Final = 8
_ASTRAY_SHARE: Final = 0.05
_WRONG_SIDE_SHARE: Final = 0.04
_UPSIDE_DOWN_SHARE: Final = 0.02
_TURN_DEG: Final = 8.0
_SCALE_SIGMA: Final = 0.10
_SHIFT_PX: Final = (2.5, 3.5)
"""How far a frame is off the one that the truth would give: about as far as those of the second look.

Across and along the limb, in pixels of the close-up."""
_EXCHANGED: Final = np.array([0, 2, 1], dtype=np.uint8)
"""Codes of sides in a mirror."""
_TOWARDS: Final = np.array(TOWARDS_DIGITS, dtype=np.float32)
_SOLE: Final = tuple(PARTS.index(name) for name in ("ball", "arch", "heel"))
_DORSUM: Final = PARTS.index("dorsum")
_FIRST_FINGER: Final = PARTS.index("finger1")
_FIRST_TOE: Final = PARTS.index("toe1")
_SMALLEST_LIMB_PX: Final = 40
_WARPED_SHARE: Final = 0.6
_CUT_OUT_SHARE: Final = 0.03
_AHEAD: Final = 4
"""Batches that a process makes before they are asked for."""
VALIDATION_SEED: Final = 1_000_001
TEST_SEED: Final = 2_000_003
CALIBRATION_SEED: Final = 3_000_017
"""Seeds of the held-out scenes: those of the test set are looked at only when training is over."""


# ---------------------------------------------------------------------------------------------------------------------
# Layouts on disk


def generate_layouts(folder: Path, wanted: int, *, seed: int, processes: int) -> list[Path]:
    """Shards with at least ``wanted`` layouts; those that are there already stay. Prints its progress."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"layouts_{seed}_{number:05d}.npz" for number in range(-(-wanted // SHARD))]
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for done, _ in enumerate(pool.map(partial(_generate_shard, folder, seed), missing), start=1):
            if done % 10 == 0 or done == len(missing):
                print(f"layouts: {SHARD * (len(paths) - len(missing) + done)} of {SHARD * len(paths)}", flush=True)
    return paths


def _generate_shard(folder: Path, seed: int, number: int) -> None:
    cv2.setNumThreads(1)
    random = np.random.default_rng((seed, number))
    layouts = [random_layout(random, TRAINING, shape=NETWORK_SHAPE) for _ in range(SHARD)]
    path = folder / f"layouts_{seed}_{number:05d}.npz"
    partial_path = path.with_suffix(f".{os.getpid()}.tmp")
    with partial_path.open("wb") as file:
        np.savez_compressed(
            file,
            parts=np.stack([layout.parts for layout in layouts]),
            sides=np.stack([layout.sides for layout in layouts]),
            limbs=np.stack([layout.limbs for layout in layouts]),
            along=np.stack([layout.along for layout in layouts]).astype(np.float16),
            facing=np.stack([layout.facing for layout in layouts]).astype(np.float16),
            landmarks=np.concatenate([layout.landmarks for layout in layouts]),
            limbs_of_layout=np.array([len(layout.landmarks) for layout in layouts]),
            words=json.dumps([(layout.kinds, layout.views) for layout in layouts]),
        )
    partial_path.replace(path)


def read_shard(path: Path) -> list[Layout]:
    """The layouts of one shard."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    landmarks = np.split(arrays["landmarks"], np.cumsum(arrays["limbs_of_layout"])[:-1])
    words = json.loads(str(arrays["words"]))
    return [
        Layout(
            parts=arrays["parts"][index],
            sides=arrays["sides"][index],
            limbs=arrays["limbs"][index],
            along=arrays["along"][index].astype(np.float32),
            facing=arrays["facing"][index].astype(np.float32),
            landmarks=landmarks[index],
            kinds=tuple(words[index][0]),
            views=tuple(words[index][1]),
        )
        for index in range(len(words))
    ]


# ---------------------------------------------------------------------------------------------------------------------
# One example


@dataclass(frozen=True, eq=False)
class Example:
    """A picture of 192 × 256 pixels, °C, and its truth; ``points`` (n, 19, 3) as in a layout."""

    celsius: NDArray[np.float32]
    parts: NDArray[np.uint8]
    sides: NDArray[np.uint8]
    points: NDArray[np.float32]


def painted(layout: Layout, random: np.random.Generator, ranges: Ranges = TRAINING) -> Example:
    """A layout, painted."""
    scene = paint(layout, random, ranges)
    truth = scene.layout
    return Example(scene.celsius, truth.parts, truth.sides, truth.landmarks)


def varied(example: Example, random: np.random.Generator) -> Example:
    """The example flipped, turned, scaled, shifted or cut out at random."""
    if random.random() < 0.5:
        example = flipped(example)
    if random.random() < _WARPED_SHARE:
        example = _warped(example, _random_affine(random))
    if random.random() < _CUT_OUT_SHARE and example.parts.any():
        example = replace(example, celsius=np.where(example.parts > 0, example.celsius, np.float32(np.nan)))
    return example


def flipped(example: Example) -> Example:
    """Mirrored left to right: left limbs become right ones."""
    points = example.points.copy()
    points[..., 0] = example.parts.shape[1] - points[..., 0]
    sides = _EXCHANGED[example.sides[:, ::-1]]
    return Example(
        np.ascontiguousarray(example.celsius[:, ::-1]), np.ascontiguousarray(example.parts[:, ::-1]), sides, points
    )


def _random_affine(random: np.random.Generator) -> NDArray[np.float64]:
    """2 × 3, from the example's pixel-edge coordinates to the varied one's."""
    upside_down_too = random.random() < 0.25
    angle = random.uniform(-np.pi, np.pi) if upside_down_too else random.normal(0.0, 0.25)
    scale = np.exp(random.uniform(np.log(0.7), np.log(1.6)))
    rows, columns = NETWORK_SHAPE
    shift = random.uniform(-0.15, 0.15, 2) * (columns, rows)
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([columns, rows]) / 2.0
    return np.column_stack((matrix, centre + shift - matrix @ centre))


def _warped(example: Example, affine: NDArray[np.float64]) -> Example:
    matrix = affine.copy()
    matrix[:, 2] += affine[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV counts from the centre of the first pixel
    size = NETWORK_SHAPE[::-1]
    # What comes into view from outside is as at run time, where a picture of another aspect is padded.
    outside = border_median(example.celsius)
    celsius = cv2.warpAffine(
        example.celsius, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=outside
    )
    labels = [cv2.warpAffine(item, matrix, size, flags=cv2.INTER_NEAREST) for item in (example.parts, example.sides)]
    points = example.points.copy()
    points[..., :2] = example.points[..., :2] @ affine[:, :2].T + affine[:, 2]
    return Example(celsius, labels[0], labels[1], points.astype(np.float32))


def encoded(example: Example, random: np.random.Generator) -> Batch:
    """What the networks learn from: arrays of one example without a batch's axis.

    The overview's ``input`` float32 (2, 96, 128) and its answer, ``parts`` uint8 (96, 128) and ``sides`` uint8
    (48, 64), 255 off the skin. For close-ups: ``picture`` float32 (192, 256), °C; ``picture_parts``, ``picture_sides``
    and ``points`` (8, 19, 3), its truth, NaN where there are fewer limbs; ``frames`` (2, 5), two frames about where
    the truth would have them.
    """
    fitting = fitting_of(example.celsius.shape)
    picture = filled(example.celsius)
    points = np.full((_MOST_LIMBS, *example.points.shape[1:]), np.nan, dtype=np.float32)
    points[: len(example.points)] = example.points[:_MOST_LIMBS]
    return {
        "input": overview(normalised(picture, fitting)),
        "parts": np.ascontiguousarray(example.parts[::2, ::2]),
        "sides": _sides(example.parts, example.sides, 4),
        "picture": picture,
        "picture_parts": example.parts,
        "picture_sides": example.sides,
        "points": points,
        "frames": np.array([astuple(_random_frame(limb, random)) for limb in _chosen_limbs(example, random)]),
    }


def close_up(item: Batch, frame: Frame) -> Batch:
    """One close-up of an example that was :func:`encoded`: ``input`` (2, 128, 64), without the guides, and its truth.

    ``parts`` uint8 (128, 64), ``sides`` uint8 (64, 32), ``landmarks`` uint8 (19, 64, 32), 255 on a landmark.
    """
    parts, sides = _cut(item["picture_parts"], item["picture_sides"], frame)
    return {
        "input": close_up_channels(item["picture"], fitting_of(NETWORK_SHAPE), frame),
        "parts": parts,
        "sides": _sides(parts, sides, 2),
        "landmarks": landmark_maps(_points_in(item["points"], frame)),
    }


def _sides(parts: NDArray[np.uint8], sides: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.where(parts > 0, sides, np.uint8(255))[::step, ::step])


def _limbs(example: Example) -> list[Frame]:
    """The frame of every foot and hand, as the truth would give it."""
    parts, sides = example.parts[::2, ::2], example.sides[::2, ::2]
    towards = _TOWARDS[parts]
    frames = []
    for first, behind in ((_FIRST_TOE, _FIRST_FINGER), (_FIRST_FINGER, len(PARTS))):
        kind = (parts >= first) & (parts < behind)
        for side in (1, 2):
            own = kind & (sides == side)
            if own.sum() >= _SMALLEST_LIMB_PX // 4:
                sole = int(np.isin(parts[own], _SOLE).sum()) > int((parts[own] == _DORSUM).sum())
                frames.append(frame_around(own, towards, mirrored=to_mirror(left=side == 1, sole=sole), step=2.0))
    return frames


def _chosen_limbs(example: Example, random: np.random.Generator) -> list[Frame | None]:
    """Two of the limbs; None is a place without plan, as where the first network errs."""
    limbs: list[Frame | None] = list(_limbs(example))
    order = [limbs[place] for place in random.permutation(len(limbs))][:CLOSE_UPS]
    if len(order) == 1 and random.random() < 0.6:
        order.append(order[0])
    order += [None] * (CLOSE_UPS - len(order))
    return [None if random.random() < _ASTRAY_SHARE else limb for limb in order]


def _random_frame(limb: Frame | None, random: np.random.Generator) -> Frame:
    """About where the first network would have said."""
    if limb is None:
        x, y = random.uniform(0.1, 0.9, 2) * NETWORK_SHAPE[::-1]
        scale = float(np.exp(random.uniform(np.log(0.3), np.log(1.6))))
        return Frame(float(x), float(y), scale, float(random.uniform(-180.0, 180.0)), bool(random.random() < 0.5))
    scale = limb.scale * float(np.exp(np.clip(random.normal(0.0, _SCALE_SIGMA), -0.4, 0.4)))
    turn = limb.turn_deg + float(random.normal(0.0, _TURN_DEG))
    turn += 180.0 * float(random.random() < _UPSIDE_DOWN_SHARE)
    x, y = limb.matrix[:, :2] @ (random.normal(0.0, 1.0, 2) * _SHIFT_PX) + (limb.x, limb.y)
    wrong = random.random() < _WRONG_SIDE_SHARE
    return Frame(float(x), float(y), max(scale, SMALLEST_SCALE), turn, limb.mirrored != wrong)


def _cut(
    parts: NDArray[np.uint8], sides: NDArray[np.uint8], frame: Frame
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Parts and sides in a frame, each pixel's nearest, (128, 64); mirrored, left has become right."""
    rows, columns = np.indices(CLOSE_UP_SHAPE)
    matrix = frame.matrix
    x, y = (np.floor(line[0] * (columns + 0.5) + line[1] * (rows + 0.5) + line[2]).astype(np.intp) for line in matrix)
    inside = (y >= 0) & (y < NETWORK_SHAPE[0]) & (x >= 0) & (x < NETWORK_SHAPE[1])
    y, x = y.clip(0, NETWORK_SHAPE[0] - 1), x.clip(0, NETWORK_SHAPE[1] - 1)
    parts, sides = (np.where(inside, item[y, x], 0).astype(np.uint8) for item in (parts, sides))
    return parts, _EXCHANGED[sides] if frame.mirrored else sides


def _points_in(points: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    moved = points.copy()
    matrix = frame.inverse
    moved[..., :2] = points[..., :2] @ matrix[:, :2].T + matrix[:, 2]
    return moved


def landmark_maps(points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A Gaussian peak on every visible landmark of every limb, (19, 64, 32) of a close-up, 255 at its top."""
    height, width = CLOSE_UP_SHAPE[0] // 2, CLOSE_UP_SHAPE[1] // 2
    maps = np.zeros((len(LANDMARKS), height, width), dtype=np.uint8)
    for limb in points:
        for name, (x, y, visible) in enumerate(limb):
            if not visible > 0.0:  # NaN: the limb has no such landmark
                continue
            column, row = x / 2.0, y / 2.0
            left, top = max(int(column) - 5, 0), max(int(row) - 5, 0)
            right, bottom = min(int(column) + 6, width), min(int(row) + 6, height)
            if left >= right or top >= bottom:
                continue
            across = np.exp(-0.5 * ((np.arange(left, right) + 0.5 - column) / PEAK_SIGMA_PX) ** 2)
            down = np.exp(-0.5 * ((np.arange(top, bottom) + 0.5 - row) / PEAK_SIGMA_PX) ** 2)
            place = maps[name, top:bottom, left:right]
            np.maximum(place, np.rint(255.0 * down[:, None] * across).astype(np.uint8), out=place)
    return maps


# ---------------------------------------------------------------------------------------------------------------------
# Batches


def training_batches(
    shards: list[Path], size: int, *, seed: int, first: int = 0, worker: int = 0, workers: int = 1
) -> Iterator[Batch]:
    """Endless batches ``first + worker``, ``first + worker + workers``, …; batch n is the same however it is asked for.

    Every pass over the shards is in another order and every layout is painted and varied anew.
    """
    cv2.setNumThreads(1)
    per_shard = SHARD // size
    opened: tuple[Path | None, list[Layout]] = (None, [])
    number = first + worker
    while True:
        # Workers take whole shards in turn, so that each reads its own files.
        lane, place = number % workers, number // workers
        visit, part = lane + workers * (place // per_shard), place % per_shard
        path = shards[np.random.default_rng((seed, visit // len(shards))).permutation(len(shards))[visit % len(shards)]]
        if opened[0] != path:
            opened = (path, read_shard(path))
        random = np.random.default_rng((seed, 1, number))
        chosen = opened[1][part * size : (part + 1) * size]
        yield stacked([encoded(varied(_painted_somehow(layout, random), random), random) for layout in chosen])
        number += workers


def _painted_somehow(layout: Layout, random: np.random.Generator) -> Example:
    return painted(layout, random, CALM if random.random() < _CALM_SHARE else TRAINING)


def batches_of_workers(
    shards: list[Path], size: int, *, seed: int, first: int = 0, workers: int = 1
) -> Generator[Batch]:
    """Batches ``first``, ``first + 1``, … made by ``workers`` processes ahead of use; in this process where it is 0.

    Close it to end the processes. RuntimeError where one of them has stopped.
    """
    if workers == 0:
        yield from training_batches(shards, size, seed=seed, first=first)
        return
    context = get_context("spawn")  # a forked process would hang in the threads of OpenCV and OpenMP
    queues = [context.Queue(_AHEAD) for _ in range(workers)]
    processes = [
        context.Process(target=_fill, args=(queue, shards, size, seed, first, worker, workers), daemon=True)
        for worker, queue in enumerate(queues)
    ]
    for process in processes:
        process.start()
    try:
        for number in count():
            turn = number % workers
            while True:
                try:
                    batch = queues[turn].get(timeout=5.0)
                    break
                except Empty:
                    if not processes[turn].is_alive():
                        raise RuntimeError("a process that paints scenes has stopped; go on with --resume") from None
            yield batch
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _fill(queue: Queue[Batch], shards: list[Path], size: int, seed: int, first: int, worker: int, workers: int) -> None:
    for batch in training_batches(shards, size, seed=seed, first=first, worker=worker, workers=workers):
        queue.put(batch)


def stacked(examples: list[Batch]) -> Batch:
    """One batch of several examples."""
    return {name: np.stack([example[name] for example in examples]) for name in examples[0]}


def held_out_scenes(
    folder: Path, scenes_wanted: int, *, seed: int = VALIDATION_SEED, ranges: Ranges = HELD_OUT
) -> list[Example]:
    """``scenes_wanted`` scenes of the anatomy, poses and cameras that training never shows; kept in ``folder``."""
    kind = {HELD_OUT: "held_out", ORDINARY: "whole_feet", BARE_LEGS: "bare_legs"}[ranges]
    path = folder / f"{kind}_{seed}_{scenes_wanted}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(seed)
        layouts = [random_layout(random, ranges, shape=NETWORK_SHAPE) for _ in range(scenes_wanted)]
        scenes = [painted(layout, random, ranges) for layout in layouts]
        arrays: Mapping[str, NDArray] = {
            "celsius": np.stack([scene.celsius for scene in scenes]),
            "parts": np.stack([scene.parts for scene in scenes]),
            "sides": np.stack([scene.sides for scene in scenes]),
            "points": np.concatenate([scene.points for scene in scenes]),
            "limbs": np.array([len(scene.points) for scene in scenes]),
        }
        partial_path = path.with_suffix(".tmp")
        with partial_path.open("wb") as file:
            np.savez_compressed(file, **arrays)
        partial_path.replace(path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    points = np.split(arrays["points"], np.cumsum(arrays["limbs"])[:-1])
    return [
        Example(celsius, parts, sides, place)
        for celsius, parts, sides, place in zip(
            arrays["celsius"], arrays["parts"], arrays["sides"], points, strict=True
        )
    ]
