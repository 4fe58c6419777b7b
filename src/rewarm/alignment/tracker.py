"""One limb followed from frame to frame: its motion, and whether a frame shows it at all."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.alignment.appearance import Appearance, averaged_frame
from rewarm.motion import BLURRED, COVERED, EMPTY, LOST, OUTSIDE, SHUTTER

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]

MOST_STEPS: Final = 12
ENOUGH_PX: Final = 0.01
"""Steps of fewer averaged pixels than this end the search."""
REMAINDER_S: Final = 10.0
"""How slowly the remainder (texture that mixtures do not explain) follows the frames."""
WORSE: Final = 3.0
"""Residuals beyond this multiple of what is usual, and by :data:`LEAST_WORSE_C`: lost, or something lies over it."""
LEAST_WORSE_C: Final = 0.4
OFF_C: Final = 1.0
"""A pixel is off where it differs by this from what it should be; what differs by less does no harm."""
SIGMAS: Final = 6.0
COVERED_SHARE: Final = 0.02
"""Something lies over a limb where this share of its pixels is off, and more than half are not."""
FLATTER: Final = 0.6
"""A frame is out of focus where its fine detail has less than this share of what is usual."""
LEAST_CONTRAST: Final = 0.3
"""A closed shutter is seen: contrast falls below this share of that of the frame before, at once."""
BESIDE_PX: Final = 0.7
"""Outlines that lie beside the limb by less than this are taken as they are: texture pulls at them as much."""
USUAL_FRAMES: Final = 15
FARTHEST: Final = 0.35
"""How far a lost limb is searched, as a share of its window."""
LEAST_INSIDE: Final = 0.5


@dataclass(frozen=True)
class Seen:
    """What one frame told: reference → frame in averaged pixels of the window (2, 3), why not, how alike."""

    matrix: Matrix
    reason: str
    likeness: float


@dataclass(eq=False)
class Tracker:
    """Follows one limb; frames are given in the order of time, or against it, beginning with the reference."""

    limb: Appearance
    matrix: Matrix = field(default_factory=lambda: np.eye(2, 3))
    mixture: NDArray[np.float64] | None = None
    remainder: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    remainder_steps: Floats = field(default_factory=lambda: np.zeros((3, 0), dtype=np.float32))
    residuals: deque[float] = field(default_factory=lambda: deque(maxlen=USUAL_FRAMES))
    details: deque[float] = field(default_factory=lambda: deque(maxlen=USUAL_FRAMES))
    first: Matrix = field(default_factory=lambda: np.eye(2, 3))
    since: int = 0

    def begin(self, frame: Floats) -> float:
        """Learn the limb from the reference frame (y, x), °C; how well mixtures of its regions explain it, °C.

        Where all outlines lie beside the limb alike, they are moved onto it first: what is followed is the limb.
        """
        small = averaged_frame(frame, self.limb.scale)
        values = self._filled(small)
        self.mixture = self._mixed(values)
        self.remainder = np.zeros_like(values)
        self.remainder_steps = np.zeros((3, values.size), dtype=np.float32)
        onto = self._refined(small, self.matrix).matrix
        if self._apart_px(onto, self.matrix) > BESIDE_PX:
            self.matrix = onto
        self.first = self.matrix.copy()
        values = self._filled(small)
        self.mixture = self._mixed(values)
        unexplained = values - self._model()
        smooth = cv2.GaussianBlur(self.limb.whole(unexplained), (0, 0), 1.0)
        self.remainder = smooth[self.limb.seen]
        self.remainder_steps = self.limb.steps_of(smooth)
        self.residuals.append(float(np.std(values - self._model())))
        return float(np.std(unexplained))

    def follow(self, frame: Floats, step_s: float) -> Seen:
        """Find the limb in the next frame (y, x), °C, taken ``step_s`` after (or before) the one before."""
        if not np.isfinite(frame[::8, ::8]).any():
            return self._not(EMPTY)
        small = averaged_frame(frame, self.limb.scale)
        start = self._taken(small, self.matrix)
        known = np.isfinite(start)
        if known.mean() < LEAST_INSIDE:
            return self._not(OUTSIDE)
        contrast = float(np.std(self._model()))
        if contrast > 5 * self._usual() and float(np.nanstd(small[::4, ::4])) < LEAST_CONTRAST * contrast:
            return self._not(SHUTTER)
        fit = self._refined(small, self.matrix)
        limit = max(WORSE * self._usual(), self._usual() + LEAST_WORSE_C)
        if fit.residual > limit:
            again = self._refined(small, self._searched(small))
            fit = min(fit, again, key=lambda found: found.residual)
        if fit.known.mean() < LEAST_INSIDE:
            return self._not(OUTSIDE)
        if fit.residual > limit:
            off = np.abs(fit.off - np.median(fit.off)) > max(OFF_C, SIGMAS * self._usual())
            return self._not(COVERED if COVERED_SHARE < off.mean() < 0.5 else LOST)
        detail, u_detail = self._detail(fit)
        usual = float(np.median(self.details)) if self.details else 1.0
        if detail < FLATTER * usual and usual - detail > SIGMAS * u_detail:
            return self._not(BLURRED)
        self._accept(fit, detail, u_detail, step_s)
        return Seen(self.matrix.copy(), "", fit.likeness)

    def in_picture(self, matrix: Matrix) -> Matrix:
        """The motion of the picture's pixels from the reference frame to the one that ``matrix`` leads to."""
        into = self._into_picture()
        moved = _square(matrix) @ np.linalg.inv(_square(self.first))
        return np.asarray((into @ moved @ np.linalg.inv(into))[:2])

    def of_picture(self, motion: Matrix) -> Matrix:
        """The inverse of :meth:`in_picture`."""
        into = self._into_picture()
        return np.asarray((np.linalg.inv(into) @ _square(motion) @ into @ _square(self.first))[:2])

    def _into_picture(self) -> Matrix:
        """(3, 3): averaged pixels of the window → pixels of the picture."""
        scale, half = self.limb.scale, (self.limb.scale - 1) / 2
        return np.array(
            [[scale, 0, self.limb.left + half], [0, scale, self.limb.top + half], [0, 0, 1]], dtype=np.float64
        )

    def _apart_px(self, one: Matrix, other: Matrix) -> float:
        """How far two motions take the window's corners apart, px of the picture."""
        rows, columns = self.limb.shape
        corners = np.array([[0, 0, 1], [columns, 0, 1], [0, rows, 1], [columns, rows, 1]], dtype=np.float64)
        return float(np.hypot(*((one - other) @ corners.T)).max()) * self.limb.scale

    def _not(self, reason: str) -> Seen:
        return Seen(self.matrix.copy(), reason, float("nan"))

    def _usual(self) -> float:
        return float(np.median(self.residuals))

    def _model(self) -> Floats:
        assert self.mixture is not None
        return np.asarray(self.mixture.astype(np.float32) @ self.limb.parts + self.remainder)

    def _taken(self, small: Floats, matrix: Matrix) -> Floats:
        """The averaged frame at the limb's pixels, moved back by ``matrix``; NaN beyond the picture."""
        shift = np.array([self.limb.left, self.limb.top]) / self.limb.scale
        whole = matrix.copy()
        whole[:, 2] += shift
        size = (self.limb.shape[1], self.limb.shape[0])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        back = cv2.warpAffine(small, whole, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan"))
        return np.asarray(back[self.limb.seen])

    def _filled(self, small: Floats) -> Floats:
        values = self._taken(small, self.matrix)
        return np.asarray(np.where(np.isfinite(values), values, np.nanmean(values)), dtype=np.float32)

    def _mixed(self, values: Floats) -> NDArray[np.float64]:
        right = (self.limb.parts @ values).astype(np.float64)
        return np.asarray(np.linalg.solve(self.limb.products + _ridge(self.limb.products), right))

    def _refined(self, small: Floats, matrix: Matrix) -> _Fit:
        """Gauss–Newton on motion and mixture at once, the mixture's pictures moving (inverse compositional)."""
        assert self.mixture is not None
        limb, mixture = self.limb, self.mixture
        matrix = matrix.copy()
        best: _Fit | None = None
        for _ in range(MOST_STEPS):
            values = self._taken(small, matrix)
            known = np.isfinite(values)
            if known.mean() < LEAST_INSIDE:
                break
            steps = np.tensordot(mixture.astype(np.float32), limb.steps, axes=1) + self.remainder_steps
            wanted = values - self.remainder
            solved, off = _solve(limb.parts, steps, wanted, None if known.all() else known, limb.products)
            mixture = solved[:-3]
            residual = float(np.std(off))
            if best is None or residual < best.residual:
                best = _Fit(matrix.copy(), mixture, values, known, off, residual)
            move = solved[-3:]
            matrix = _composed(matrix, move, limb.middle)
            reach = 0.5 * max(limb.shape)
            if np.abs(move[:2]).max() < ENOUGH_PX and abs(move[2]) * reach < ENOUGH_PX:
                break
        if best is None:
            nothing = np.zeros(limb.parts.shape[1], dtype=np.float32)
            return _Fit(matrix, mixture, nothing, nothing > 0, nothing, float("inf"))
        best.matrix = matrix if np.abs(matrix - best.matrix).max() < 1.0 else best.matrix
        return best

    def _searched(self, small: Floats) -> Matrix:
        """Where in the frame the limb as it looked last is found again: by correlation, shifted but not turned."""
        limb = self.limb
        picture = limb.whole(self._model())
        left, top = limb.left / limb.scale + self.matrix[0, 2], limb.top / limb.scale + self.matrix[1, 2]
        reach_x, reach_y = (round(FARTHEST * size) for size in (limb.shape[1], limb.shape[0]))
        x0, y0 = round(left) - reach_x, round(top) - reach_y
        size = (limb.shape[1] + 2 * reach_x, limb.shape[0] + 2 * reach_y)
        around = cv2.warpAffine(
            np.nan_to_num(small, nan=float(np.nanmean(small))),
            np.array([[1.0, 0.0, x0], [0.0, 1.0, y0]]),
            size,
            flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        scores = cv2.matchTemplate(around, picture, cv2.TM_CCOEFF_NORMED, mask=limb.seen.astype(np.float32))
        scores = np.where(np.isfinite(scores), scores, -1.0)
        y, x = np.unravel_index(int(np.argmax(scores)), scores.shape)
        moved = self.matrix.copy()
        moved[:, 2] += (x0 + x - left, y0 + y - top)
        return moved

    def _detail(self, fit: _Fit) -> tuple[float, float]:
        """How strong the frame's fine detail is beside the model's (1: as strong), and how well that is known."""
        model = _fine(self.limb.whole(fit.mixture.astype(np.float32) @ self.limb.parts + self.remainder))
        filled = np.where(fit.known, fit.values, 0.0).astype(np.float32)
        seen = _fine(self.limb.whole(filled))[self.limb.seen & _inner(self.limb.seen)]
        wanted = model[self.limb.seen & _inner(self.limb.seen)]
        square = float(wanted @ wanted)
        return (1.0, float("inf")) if square == 0.0 else (float(seen @ wanted) / square, self._usual() / square**0.5)

    def _accept(self, fit: _Fit, detail: float, u_detail: float, step_s: float) -> None:
        self.matrix, self.mixture = fit.matrix, fit.mixture
        self.residuals.append(fit.residual)
        if u_detail < 0.05:
            self.details.append(detail)
        if fit.known.all():
            gain = np.float32(1.0 - np.exp(-abs(step_s) / REMAINDER_S))
            self.remainder = self.remainder + gain * fit.off
        self.since += 1
        if self.since % 5 == 0:
            self.remainder_steps = self.limb.steps_of(self.limb.whole(self.remainder))


@dataclass(eq=False)
class _Fit:
    matrix: Matrix
    mixture: NDArray[np.float64]
    values: Floats
    known: NDArray[np.bool_]
    off: Floats
    residual: float

    @property
    def likeness(self) -> float:
        """Correlation of frame and model."""
        total = float(np.var(self.values[self.known]))
        return max(0.0, 1.0 - self.residual**2 / total) ** 0.5 if total > 0 else 0.0


def _solve(
    parts: Floats, steps: Floats, wanted: Floats, known: NDArray[np.bool_] | None, products: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Floats]:
    """Least squares of mixture and motion; what is left (pixels,)."""
    if known is not None:
        parts, steps, wanted = parts[:, known], steps[:, known], wanted[known]
        wide = parts.astype(np.float64)
        products = wide @ wide.T
    cross = (steps @ parts.T).astype(np.float64)
    normal = np.block([[products, cross.T], [cross, (steps @ steps.T).astype(np.float64)]])
    right = np.concatenate([parts @ wanted, steps @ wanted]).astype(np.float64)
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-12))
    solved = np.linalg.solve(normal / np.outer(scale, scale) + 1e-9 * np.eye(len(scale)), right / scale) / scale
    off = wanted - solved[:-3].astype(np.float32) @ parts - solved[-3:].astype(np.float32) @ steps
    return solved, np.asarray(off, dtype=np.float32)


def _composed(matrix: Matrix, move: NDArray[np.float64], middle: tuple[float, float]) -> Matrix:
    """``matrix`` after the inverse of a small motion of the pictures."""
    cosine, sine = np.cos(move[2]), np.sin(move[2])
    centre = np.array(middle)
    turned = np.array([[cosine, -sine], [sine, cosine]])
    small = np.eye(3)
    small[:2, :2] = turned
    small[:2, 2] = centre + move[:2] - turned @ centre
    whole = _square(matrix) @ np.linalg.inv(small)
    return np.asarray(whole[:2])


def _square(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def _ridge(products: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1e-9 * np.diag(np.diag(products)))


def _fine(picture: Floats) -> Floats:
    """What a blur of one and a half pixels takes away."""
    return np.asarray(picture - cv2.GaussianBlur(picture, (0, 0), 1.5))


def _inner(seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels whose neighbourhood is seen too."""
    return np.asarray(cv2.erode(seen.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)
