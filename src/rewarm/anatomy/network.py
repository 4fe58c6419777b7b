"""The learned finder: two small networks, trained on simulated scans alone, say which pixels are which part of a limb.

The first sees the whole picture at a low resolution and tells where limbs are; the second sees each of them closely.
Their weights lie beside this file as ``overview.onnx`` and ``close_up.onnx``; the folder ``training`` of the source
distribution makes them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from rewarm.anatomy.close_up import (
    CLOSE_UP_CHANNELS,
    CLOSE_UP_SHAPE,
    Frame,
    alike,
    as_seen,
    close_up_channels,
    frames_in,
    guides_in,
    guides_of,
    merged,
    second_frames,
)
from rewarm.anatomy.network_input import (
    CHANNELS,
    NETWORK_SHAPE,
    OVERVIEW_SHAPE,
    Fitting,
    filled,
    network_input,
    overview,
    to_picture,
    unfit,
)
from rewarm.errors import InvalidInputError, UnreadableFileError

Image = NDArray[np.float32]

PARTS: Final = (
    "surroundings",
    "other_skin",
    *(f"toe{number}" for number in range(1, 6)),
    "ball",
    "arch",
    "heel",
    "dorsum",
    *(f"finger{number}" for number in range(1, 6)),
    "palm",
)
"""Classes of a pixel; the code is the index. "dorsum" is all of a foot that is not its sole, "palm" all of a hand
without its fingers, "other_skin" a leg, an arm, a face."""
FOOT_PARTS: Final = PARTS[2:11]
HAND_PARTS: Final = PARTS[11:]
SIDES: Final = ("none", "left", "right")
LANDMARKS: Final = (
    *(f"toe{number}_tip" for number in range(1, 6)),
    *(f"web{number}" for number in range(1, 5)),
    "heel_point",
    *(f"finger{number}_tip" for number in range(1, 6)),
    *(f"finger_web{number}" for number in range(1, 5)),
)

WEIGHTS: Final = Path(__file__).parent
"""The folder of both networks' weights."""
OVERVIEW: Final = "overview.onnx"
CLOSE_UP: Final = "close_up.onnx"
_HALF: Final = (NETWORK_SHAPE[0] // 2, NETWORK_SHAPE[1] // 2)
_THREADS: Final = 2
_WEAKEST_PEAK: Final = 0.2
_PEAKS_APART_PX: Final = 7
"""Side of the window, in pixels of the half-resolution maps, in which there is one peak of a name at most."""


@dataclass(frozen=True)
class Peak:
    """A place that looks like a landmark: ``x``, ``y`` in pixel-edge coordinates of the picture, ``score`` 0..1."""

    name: str
    x: float
    y: float
    score: float


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network says of one picture.

    ``network_parts`` (17, 192, 256), ``network_sides`` (3, 96, 128) and ``network_landmarks`` (19, 96, 128) are maps
    over the network's picture, probabilities 0..1; ``fitting`` says where the picture lies in them. The properties give
    maps over the picture's own pixels (y, x); each is made when first asked for.
    """

    network_parts: Image
    network_sides: Image
    network_landmarks: Image
    fitting: Fitting

    @cached_property
    def parts(self) -> Image:
        """Probability of each of :data:`PARTS`, (17, y, x)."""
        return np.stack([unfit(part, self.fitting) for part in self.network_parts])

    @cached_property
    def sides(self) -> Image:
        """Probability of each of :data:`SIDES`, (3, y, x); only of meaning where there is a limb."""
        return np.stack([unfit(side, self.fitting) for side in self.network_sides])

    @cached_property
    def foot(self) -> Image:
        """Probability that a pixel belongs to a foot, (y, x)."""
        return self.probability(FOOT_PARTS)

    @cached_property
    def hand(self) -> Image:
        """Probability that a pixel belongs to a hand, (y, x)."""
        return self.probability(HAND_PARTS)

    @cached_property
    def codes(self) -> NDArray[np.uint8]:
        """The most probable part of each pixel, index into :data:`PARTS`, (y, x)."""
        best = unfit(self.network_parts[0], self.fitting)
        codes = np.zeros(self.fitting.shape, dtype=np.uint8)
        for code in range(1, len(PARTS)):
            if float(self.network_parts[code].max()) < 1.0 / len(PARTS):
                continue  # it cannot be the largest of 17 anywhere
            probability = unfit(self.network_parts[code], self.fitting)
            larger = probability > best
            codes[larger] = code
            np.maximum(best, probability, out=best)
        return codes

    def probability(self, names: tuple[str, ...]) -> Image:
        """Probability that a pixel belongs to any of these parts, (y, x); InvalidInputError for unknown names."""
        unknown = sorted(set(names) - set(PARTS))
        if unknown:
            raise InvalidInputError(f"expected names of parts ({', '.join(PARTS)}); found {', '.join(unknown)}")
        return unfit(self.network_parts[[PARTS.index(name) for name in names]].sum(axis=0), self.fitting)

    @cached_property
    def peaks(self) -> tuple[Peak, ...]:
        """Every place with a landmark's score of 0.2 or more, the best first."""
        return find_peaks(self.network_landmarks, self.fitting)


def find_peaks(heat: Image, fitting: Fitting) -> tuple[Peak, ...]:
    """Local maxima of the maps ``heat`` (19, y, x) over the network's picture, in the picture's coordinates."""
    step = NETWORK_SHAPE[0] / heat.shape[1]
    window = np.ones((_PEAKS_APART_PX, _PEAKS_APART_PX), dtype=np.uint8)
    found = []
    for name, scores in zip(LANDMARKS, heat, strict=True):
        if float(scores.max()) < _WEAKEST_PEAK:
            continue
        rows, columns = np.nonzero((scores >= _WEAKEST_PEAK) & (scores == cv2.dilate(scores, window)))
        taken: list[tuple[int, int]] = []
        for place in np.argsort(-scores[rows, columns], kind="stable"):
            row, column = int(rows[place]), int(columns[place])
            if any(max(abs(row - y), abs(column - x)) <= _PEAKS_APART_PX // 2 for y, x in taken):
                continue  # two pixels of exactly the same height
            taken.append((row, column))
            centre = np.array([_top(scores, row, column)])
            x, y = to_picture(centre * step, fitting)[0]
            if 0.0 <= x <= fitting.shape[1] and 0.0 <= y <= fitting.shape[0]:
                found.append(Peak(name, float(x), float(y), float(scores[row, column])))
    return tuple(sorted(found, key=lambda peak: -peak.score))


def _top(scores: Image, row: int, column: int) -> tuple[float, float]:
    """(x, y) of the top of a Gaussian peak around the highest pixel, in the map's pixel-edge coordinates.

    The logarithm of a Gaussian is a parabola, so that three pixels along each axis tell its top.
    """
    tops = []
    for line, place in ((scores[row], column), (scores[:, column], row)):
        offset = 0.0
        if 0 < place < len(line) - 1:
            before, here, after = np.log(np.maximum(line[place - 1 : place + 2], 1e-6)).tolist()
            bend = before - 2.0 * here + after
            offset = float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0.0 else 0.0
        tops.append(place + 0.5 + offset)
    return tops[0], tops[1]


def predict(temperature_c: Image, *, weights: Path = WEIGHTS) -> Prediction:
    """Ask the networks about one picture, (y, x) °C, of any size; NaN or exact zeros are a background cut out.

    Raises :class:`rewarm.errors.InvalidInputError` for a picture without a temperature and
    :class:`rewarm.errors.UnreadableFileError` where the weights are missing or damaged.
    """
    channels, fitting = network_input(temperature_c)
    parts, sides = _asked_twice(load_network(weights / OVERVIEW), overview(channels))
    guides = guides_of(parts, sides)
    frames = frames_in(guides)
    first = parts, sides
    parts = np.stack([cv2.resize(part, NETWORK_SHAPE[::-1], interpolation=cv2.INTER_LINEAR) for part in parts])
    sides = np.stack([cv2.resize(side, _HALF[::-1], interpolation=cv2.INTER_LINEAR) for side in sides])
    landmarks = np.zeros((len(LANDMARKS), *_HALF), np.float32)
    if frames:
        picture = filled(np.asarray(temperature_c, dtype=np.float32))
        network = load_network(weights / CLOSE_UP)
        near = _looked_at(network, picture, fitting, guides, frames)
        better = second_frames(*first, near, frames)
        if better:
            known = [next((n for n, old in enumerate(frames) if alike(frame, old)), None) for frame in better]
            frames = [frame if n is None else frames[n] for frame, n in zip(better, known, strict=True)]
            new = [frame for frame, n in zip(frames, known, strict=True) if n is None]
            asked = iter(_looked_at(network, picture, fitting, guides, new))
            near = [next(asked) if n is None else near[n] for n in known]
        parts = merged(parts, [answer[0] for answer in near], frames)
        own_sides = [as_seen(answer[1], frame) for answer, frame in zip(near, frames, strict=True)]
        sides = merged(sides, own_sides, frames)
        landmarks = merged(landmarks, [answer[2] for answer in near], frames)
    return Prediction(parts, sides, landmarks, fitting)


def _looked_at(
    network: onnxruntime.InferenceSession, picture: Image, fitting: Fitting, guides: Image, frames: list[Frame]
) -> list[list[Image]]:
    """What the second network says of each frame."""
    return _asked(
        network,
        [np.concatenate((close_up_channels(picture, fitting, frame), guides_in(guides, frame))) for frame in frames],
    )


def _asked_twice(network: onnxruntime.InferenceSession, picture: Image) -> list[Image]:
    """The mean of the answers to a picture and to its mirror image, in which left is right: better than either."""
    plain, mirror = _asked(network, [picture, np.ascontiguousarray(picture[..., ::-1])])
    turned = [answer[..., ::-1] for answer in mirror]
    turned[1] = turned[1][[0, 2, 1]]
    return [np.float32(0.5) * (one + other) for one, other in zip(plain, turned, strict=True)]


def _asked(network: onnxruntime.InferenceSession, pictures: list[Image]) -> list[list[Image]]:
    """The answers for several pictures, two at a time and each on one thread: faster than one at a time on two."""

    def ask(picture: Image) -> list[Image]:
        return [answer[0] for answer in network.run(None, {"temperature": picture[None]})]

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(ask, pictures))


@cache
def load_network(path: Path) -> onnxruntime.InferenceSession:
    """One of the two networks, loaded once per file and process; UnreadableFileError where that cannot be done."""
    repair = "Install rewarm again, or make the file with `make train`"
    if not path.is_file():
        raise UnreadableFileError(f"{path}: expected weights of the learned finder; found no file. {repair}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting must not take a core from others
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library's exceptions have no common base but this
        reason = str(error).strip().splitlines()[0]
        raise UnreadableFileError(f"{path}: expected an ONNX network; found: {reason}. {repair}") from error
    found = [(item.name, *item.shape[1:]) for item in (*session.get_inputs(), *session.get_outputs())]
    wanted = _expected(close=path.name == CLOSE_UP)
    if found != wanted:
        raise UnreadableFileError(f"{path}: expected a network with {wanted}; found {found}. {repair}")
    return session


def _expected(*, close: bool) -> list[tuple[str | int, ...]]:
    """Names and shapes of a network's input and outputs."""
    shape = CLOSE_UP_SHAPE if close else OVERVIEW_SHAPE
    half = (shape[0] // 2, shape[1] // 2)
    expected: list[tuple[str | int, ...]] = [
        ("temperature", CLOSE_UP_CHANNELS if close else CHANNELS, *shape),
        ("parts", len(PARTS), *shape),
        ("sides", len(SIDES), *half),
    ]
    return [*expected, ("landmarks", len(LANDMARKS), *half)] if close else expected


def network_facts(weights: Path = WEIGHTS) -> dict[str, str]:
    """What the weights say of themselves: version, date, command, figures on the simulated test set."""
    return dict(load_network(weights / OVERVIEW).get_modelmeta().custom_metadata_map)
