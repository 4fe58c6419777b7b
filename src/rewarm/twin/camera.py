"""A simulated camera: from true surface temperatures to what a detector stores.

The radiometry is written here from the maker's published model, apart from the reader's: what makes the recordings
and what reads them share no code, so that an error in one shows. Signal of an object at temperature T (Kelvin), in
counts:

    P(T) = R1 / (R2 (exp(B/T) − F)) − O counts = ε τ P(T_object) + (1 − ε) τ P(T_reflected) + (1 − τ) P(T_air) τ = X
    exp(−√d (α1 + β1 √h)) + (1 − X) exp(−√d (α2 + β2 √h)),  h the water in the air, from its temperature and humidity

(Minkina and Dudzik 2009, Infrared Thermography: Errors and Uncertainties, doi 10.1002/9780470682234.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rewarm.errors import InvalidInputError
from rewarm.twin.phantom import Map

Floats = NDArray[np.float64]

KELVIN: Final = 273.15


@dataclass(frozen=True)
class SimulatedCamera:
    """A camera that does not exist, with the figures of a plain handheld one.

    ``accuracy_c`` is what its data sheet would say (the half-width shared by a whole picture). ``blur_px`` is the
    standard deviation of its optics' blur. The ``planck_`` and ``atmosphere_`` constants are stored in its files, as
    real ones are.
    """

    model: str = "Simulated 320"
    serial: str = "TWIN0001"
    lens: str = "25 deg"
    pixels: tuple[int, int] = (320, 240)  # width, height
    field_of_view_deg: float = 25.0
    accuracy_c: float = 2.0
    netd_mk: float = 40.0
    blur_px: float = 0.6
    planck_r1: float = 16000.0
    planck_r2: float = 0.0125
    planck_b: float = 1420.0
    planck_f: float = 1.0
    planck_o: float = -4500.0
    atmosphere_alpha1: float = 0.006569
    atmosphere_alpha2: float = 0.01262
    atmosphere_beta1: float = -0.002276
    atmosphere_beta2: float = -0.00667
    atmosphere_x: float = 1.9

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of its pictures."""
        return self.pixels[1], self.pixels[0]

    def mm_per_px(self, distance_m: float) -> float:
        """Size of a pixel on an object ``distance_m`` away, mm."""
        return 2000.0 * distance_m * float(np.tan(np.deg2rad(self.field_of_view_deg) / 2)) / self.pixels[0]


@dataclass(frozen=True)
class View:
    """The object and the air before it, as they truly are; the camera's file stores the same figures."""

    emissivity: float = 0.98
    reflected_c: float = 22.0
    distance_m: float = 0.9
    humidity_pct: float = 45.0
    air_c: float = 22.0


@dataclass(frozen=True, eq=False)
class Recording:
    """What the detector stored, and what of it is error.

    ``counts`` is uint16 (y, x). ``seen_c`` (float32) is the scene after the optics' blur; ``error_c`` (float32) is
    what the electronics added, in °C of the object: offset, non-uniformity and noise together, before rounding to
    counts.
    """

    counts: NDArray[np.uint16]
    seen_c: Map
    error_c: Map


def record(
    scene_c: Map,
    camera: SimulatedCamera,
    view: View,
    rng: np.random.Generator,
    *,
    offset_c: float = 0.0,
    non_uniformity_c: Map | None = None,
) -> Recording:
    """Record a scene of true temperatures (float32 (y, x), °C, the camera's shape).

    ``offset_c`` is the error common to the picture, ``non_uniformity_c`` the one that depends on the place in it (see
    :func:`non_uniformity`); noise of the camera's NETD is drawn from ``rng``. All three are in °C of the object: who
    reads the file with the right parameters gets ``seen_c + error_c``, but for rounding to counts (about 5 mK).
    Raises :class:`rewarm.errors.InvalidInputError`.
    """
    if scene_c.shape != camera.shape:
        raise InvalidInputError(f"scene_c: expected the camera's shape {camera.shape} (y, x); found {scene_c.shape}")
    seen = np.asarray(ndimage.gaussian_filter(scene_c, camera.blur_px, mode="nearest"), dtype=np.float32)
    error = offset_c + rng.normal(0, camera.netd_mk / 1000, scene_c.shape)
    if non_uniformity_c is not None:
        error = error + non_uniformity_c
    signal = counts_of(seen + error, camera, view)
    if signal.min() < 0 or signal.max() > 65535:
        raise InvalidInputError(
            "scene_c: expected temperatures that fit the camera's 16-bit counts; "
            f"found {scene_c.min():.1f} to {scene_c.max():.1f} °C"
        )
    return Recording(np.rint(signal).astype(np.uint16), seen, np.asarray(error, dtype=np.float32))


def non_uniformity(
    rng: np.random.Generator, *, shape: tuple[int, int], centre_to_corner_c: float = 0.4, tilt_c: float = 0.15
) -> Map:
    """A smooth error over the picture with mean zero, °C, float32 (y, x): a bowl, a tilt, faint detector columns."""
    y, x = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])[None, :]
    direction = rng.uniform(0, 2 * np.pi)
    bowl = -centre_to_corner_c * (x**2 + y**2) / 2 * rng.uniform(0.7, 1.3)
    tilt = tilt_c * (x * np.cos(direction) + y * np.sin(direction))
    field = bowl + tilt + rng.normal(0, 0.015, (1, shape[1]))
    return np.asarray(field - field.mean(), dtype=np.float32)


def counts_of(object_c: NDArray[np.floating], camera: SimulatedCamera, view: View) -> Floats:
    """The detector's signal, in counts not yet rounded, for an object's temperatures in °C."""
    through = transmission(camera, view)
    own = view.emissivity * through * _planck(object_c, camera)
    mirrored = (1 - view.emissivity) * through * _planck(view.reflected_c, camera)
    air = (1 - through) * _planck(view.air_c, camera)
    return np.asarray(own + mirrored + air)


def transmission(camera: SimulatedCamera, view: View) -> float:
    """Share of the object's radiation that the air lets through, 0..1."""
    t = view.air_c
    water = view.humidity_pct / 100 * np.exp(1.5587 + 6.939e-2 * t - 2.7816e-4 * t**2 + 6.8455e-7 * t**3)
    way, wet = np.sqrt(view.distance_m), np.sqrt(water)
    first = np.exp(-way * (camera.atmosphere_alpha1 + camera.atmosphere_beta1 * wet))
    second = np.exp(-way * (camera.atmosphere_alpha2 + camera.atmosphere_beta2 * wet))
    return float(camera.atmosphere_x * first + (1 - camera.atmosphere_x) * second)


def _planck(temperature_c: NDArray[np.floating] | float, camera: SimulatedCamera) -> Floats:
    kelvin = np.asarray(temperature_c, dtype=np.float64) + KELVIN
    return np.asarray(
        camera.planck_r1 / (camera.planck_r2 * (np.exp(camera.planck_b / kelvin) - camera.planck_f)) - camera.planck_o
    )
