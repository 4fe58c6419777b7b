"""What the learned finder is given: any picture, fitted into 192 × 256 pixels and freed of its absolute temperature.

Written down here once: training and run time call the same functions. Points are (x, y) in pixel-edge coordinates: the
centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.silhouettes import valid_pixels
from rewarm.errors import InvalidInputError
from rewarm.regions import Mask

Image = NDArray[np.float32]

NETWORK_SHAPE: Final = (192, 256)
"""Rows and columns of the network's picture; portrait pictures are turned a quarter to lie in it."""
OVERVIEW_SHAPE: Final = (NETWORK_SHAPE[0] // 2, NETWORK_SHAPE[1] // 2)
"""Rows and columns that the first network sees; what it finds is looked at closely by the second."""
CHANNELS: Final = 2
"""Temperature over the whole picture's spread, and over the spread close by."""

_SMALLEST_SPREAD_C: Final = 0.5
"""Half the spread of temperature below which a picture is not stretched further: it would show noise alone."""
_CLIP: Final = 3.0
_WINDOW_PX: Final = 21
"""Side of the window of local contrast: about two toes wide."""
_LOCAL_FLOOR: Final = 0.03
"""Local spread, as a share of the picture's half spread, below which local contrast fades: sensor noise."""
_CUT_OUT_STEP: Final = 0.5
"""How far below its coldest skin a removed background is put, as a share of the skin's spread."""


@dataclass(frozen=True)
class Fitting:
    """Where a picture of ``shape`` (rows, columns) lies in the network's picture.

    It is ``turned`` a quarter counter-clockwise where it is taller than wide, then resized to ``height`` × ``width``
    and put with its corner at (``left``, ``top``), all in pixels of the network's picture.
    """

    shape: tuple[int, int]
    turned: bool
    top: int
    left: int
    height: int
    width: int

    @property
    def _scale(self) -> tuple[float, float]:
        rows, columns = self.shape[::-1] if self.turned else self.shape
        return self.width / columns, self.height / rows


def fitting_of(shape: tuple[int, int]) -> Fitting:
    """How a picture of ``shape`` (rows, columns) is fitted, its aspect kept; InvalidInputError for an empty one."""
    if min(shape) < 1:
        raise InvalidInputError(f"expected a picture of at least 1 × 1 pixels; found {shape[0]} × {shape[1]}")
    turned = shape[0] > shape[1]
    rows, columns = shape[::-1] if turned else shape
    scale = min(NETWORK_SHAPE[0] / rows, NETWORK_SHAPE[1] / columns)
    height = max(1, min(NETWORK_SHAPE[0], round(rows * scale)))
    width = max(1, min(NETWORK_SHAPE[1], round(columns * scale)))
    return Fitting(shape, turned, (NETWORK_SHAPE[0] - height) // 2, (NETWORK_SHAPE[1] - width) // 2, height, width)


def fit(picture: Image, fitting: Fitting) -> Image:
    """(y, x) → (192, 256); what the picture does not cover has the median of the picture's border."""
    if picture.shape != fitting.shape:
        raise InvalidInputError(f"expected a picture of shape {fitting.shape}; found {picture.shape}")
    fitted = np.full(NETWORK_SHAPE, border_median(picture), dtype=np.float32)
    upright = np.ascontiguousarray(np.rot90(picture)) if fitting.turned else np.ascontiguousarray(picture)
    shrinks = upright.shape[0] > fitting.height
    size = (fitting.width, fitting.height)
    fitted[_inside(fitting)] = cv2.resize(upright, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return fitted


def unfit(fitted: Image, fitting: Fitting) -> Image:
    """A map over the network's picture, at its own resolution or half of it, → (y, x) of the picture, bilinear."""
    part = NETWORK_SHAPE[0] // fitted.shape[0]
    if part > 1:
        fitted = cv2.resize(fitted, NETWORK_SHAPE[::-1], interpolation=cv2.INTER_LINEAR)
    inside = np.ascontiguousarray(fitted[_inside(fitting)])
    rows, columns = fitting.shape[::-1] if fitting.turned else fitting.shape
    upright = cv2.resize(inside, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(np.rot90(upright, -1)) if fitting.turned else np.asarray(upright)


def to_network(points: NDArray[np.float64], fitting: Fitting) -> NDArray[np.float64]:
    """Points (n, 2) of the picture → of the network's picture."""
    points = np.asarray(points, dtype=np.float64)
    if fitting.turned:
        points = np.stack((points[:, 1], fitting.shape[1] - points[:, 0]), axis=1)
    return points * fitting._scale + (fitting.left, fitting.top)


def to_picture(points: NDArray[np.float64], fitting: Fitting) -> NDArray[np.float64]:
    """Points (n, 2) of the network's picture → of the picture; undoes :func:`to_network`."""
    upright = (np.asarray(points, dtype=np.float64) - (fitting.left, fitting.top)) / fitting._scale
    if not fitting.turned:
        return upright
    return np.stack((fitting.shape[1] - upright[:, 1], upright[:, 0]), axis=1)


def _inside(fitting: Fitting) -> tuple[slice, slice]:
    return slice(fitting.top, fitting.top + fitting.height), slice(fitting.left, fitting.left + fitting.width)


def border_median(picture: Image) -> float:
    """Median of a picture's outermost rows and columns."""
    return float(np.median(np.concatenate((picture[0], picture[-1], picture[:, 0], picture[:, -1]))))


def filled(temperature_c: Image) -> Image:
    """(y, x) °C with every pixel finite.

    Single missing pixels take the picture's median; a background that was cut out (NaN, or exactly zero over more than
    a twentieth of the picture) is put below the coldest of what is left, so that the outline stays visible. Raises
    InvalidInputError where no pixel holds a temperature.
    """
    valid, cut_out = valid_pixels(temperature_c)
    if valid.all():
        return temperature_c
    if not valid.any():
        raise InvalidInputError("expected a picture of temperatures; found no finite value in it. Check the recording")
    return np.where(valid, temperature_c, _filling(temperature_c, valid, cut_out)).astype(np.float32)


def _filling(temperature_c: Image, valid: Mask, cut_out: bool) -> float:
    values = temperature_c[valid]
    if not cut_out:
        return float(np.median(values))
    low, high = np.percentile(values, (1.0, 99.0))
    return float(low - _CUT_OUT_STEP * max(high - low, 2.0 * _SMALLEST_SPREAD_C))


def normalised(fitted_c: Image, fitting: Fitting) -> Image:
    """Fitted °C (192, 256) → the two channels (2, 192, 256) of :func:`channels_of`."""
    return channels_of(fitted_c, fitted_c[_inside(fitting)])


def channels_of(celsius: Image, sample: Image) -> Image:
    """A picture (y, x) in °C → two channels (2, y, x) without unit.

    First: difference to the median over half the distance between the 1st and the 99th percentile (at least 0.5 °C) of
    ``sample``, clipped to ±3. Second: the same over the mean and standard deviation in a window of 21 pixels, with a
    floor, so that a foot nearly as cold as the sheet keeps its edges.
    """
    low, middle, high = np.percentile(sample[::2, ::2], (1.0, 50.0, 99.0))
    half_spread = max(0.5 * float(high - low), _SMALLEST_SPREAD_C)
    whole = np.clip((celsius - np.float32(middle)) / np.float32(half_spread), -_CLIP, _CLIP)
    window = (_WINDOW_PX, _WINDOW_PX)
    mean = cv2.blur(whole, window, borderType=cv2.BORDER_REFLECT)
    variance = cv2.blur(whole * whole, window, borderType=cv2.BORDER_REFLECT) - mean * mean
    spread = np.sqrt(np.maximum(variance, 0.0) + np.float32(_LOCAL_FLOOR**2))
    return np.stack((whole, np.clip((whole - mean) / spread, -_CLIP, _CLIP))).astype(np.float32)


def overview(channels: Image) -> Image:
    """Channels (2, 192, 256) → (2, 96, 128): means of 2 × 2 pixels."""
    count, rows, columns = channels.shape
    halves = channels.reshape(count, rows // 2, 2, columns // 2, 2)
    return np.ascontiguousarray(halves.mean(axis=(2, 4)), dtype=np.float32)


def network_input(temperature_c: Image) -> tuple[Image, Fitting]:
    """(y, x) °C → channels (2, 192, 256) and how the picture was fitted; InvalidInputError as above."""
    if temperature_c.ndim != 2:
        raise InvalidInputError(f"expected one picture (y, x); found an array of shape {temperature_c.shape}")
    fitting = fitting_of((int(temperature_c.shape[0]), int(temperature_c.shape[1])))
    fitted = fit(filled(np.asarray(temperature_c, dtype=np.float32)), fitting)
    return normalised(fitted, fitting), fitting
