"""The contract for images: what every reader returns and everything downstream relies on.

A *thermogram* is a plain :class:`xarray.Dataset`:

============== ============================== ==========================================================================
variable       dims                           meaning
============== ============================== ==========================================================================
``temperature`` (y, x) or (time, y, x)        °C (``units = "degC"``), of the object with the parameters below;
                                              float32, or float64 where the file itself holds decimal °C, so that no
                                              digit of it is lost; NaN where the camera gave no temperature
``counts``     the same, optional             uint16 raw counts of the detector, from which temperature was computed
``time``       (time,), recordings only       seconds since the first frame, float64
(a parameter)  (time,), recordings only       a parameter of :data:`ATTRIBUTES` that is not the same in all frames;
                                              ``attrs`` have the first frame's
============== ============================== ==========================================================================

Its ``attrs`` are flat and JSON-able, with the keys of :data:`ATTRIBUTES`; what a file does not hold is ``None``.
Rows run downwards and columns to the right, as on the camera's screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.errors import InvalidThermogramError

CONTRACT: Final = "rewarm thermogram 1"

ATTRIBUTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "contract": "name and version of this contract",
        "camera_make": "text",
        "camera_model": "text",
        "camera_serial": "text",
        "lens": "text",
        "acquired_at": "ISO 8601, as the camera's clock had it",
        "field_of_view_deg": "horizontal field of view, degrees",
        "pixel_size_mm": "size of a pixel on the skin, mm, where it is known",
        "accuracy_c": "half-width of the camera's specified accuracy, °C",
        "netd_mk": "noise-equivalent temperature difference, mK",
        "emissivity": "0..1",
        "reflected_c": "reflected apparent temperature, °C",
        "distance_m": "camera to object, m",
        "humidity_pct": "relative humidity of the air, %",
        "air_c": "temperature of the air in between, °C",
        "window_c": "temperature of an infrared window, °C",
        "window_transmission": "its transmission, 0..1; 1 where there is none",
        "planck_r1": "camera's calibration",
        "planck_r2": "camera's calibration",
        "planck_b": "camera's calibration, K",
        "planck_f": "camera's calibration",
        "planck_o": "camera's calibration, counts",
        "atmosphere_alpha1": "camera's air model",
        "atmosphere_alpha2": "camera's air model",
        "atmosphere_beta1": "camera's air model",
        "atmosphere_beta2": "camera's air model",
        "atmosphere_x": "camera's air model",
        "provenance_file": "the file's name, without its folder",
        "provenance_sha256": "hash of the file's bytes",
        "provenance_reader": "which reader opened it",
        "provenance_version": "which version of rewarm",
        "warnings": "list of sentences that a person should read",
    }
)


@dataclass(frozen=True)
class ObjectParameters:
    """What a person sets for a picture: the object and the air before it. ``None``: not known."""

    emissivity: float | None = None
    reflected_c: float | None = None
    distance_m: float | None = None
    humidity_pct: float | None = None
    air_c: float | None = None
    window_c: float | None = None
    window_transmission: float | None = None


@dataclass(frozen=True)
class Calibration:
    """What a maker stores in a camera: Planck's constants in counts, and the constants of its air model."""

    planck_r1: float
    planck_r2: float
    planck_b: float
    planck_f: float
    planck_o: float
    atmosphere_alpha1: float
    atmosphere_alpha2: float
    atmosphere_beta1: float
    atmosphere_beta2: float
    atmosphere_x: float


@dataclass(frozen=True)
class Provenance:
    """Where a thermogram comes from: file name, hash of its bytes, reader, rewarm's version."""

    file: str
    sha256: str
    reader: str
    version: str


@dataclass(frozen=True)
class CameraIdentity:
    """Which camera, when, through which lens; and its specification where it is known."""

    camera_make: str | None = None
    camera_model: str | None = None
    camera_serial: str | None = None
    lens: str | None = None
    acquired_at: str | None = None
    field_of_view_deg: float | None = None
    pixel_size_mm: float | None = None
    accuracy_c: float | None = None
    netd_mk: float | None = None


def make_thermogram(
    temperature_c: NDArray[np.float32] | NDArray[np.float64],
    *,
    provenance: Provenance,
    camera: CameraIdentity | None = None,
    parameters: ObjectParameters | None = None,
    calibration: Calibration | None = None,
    counts: NDArray[np.uint16] | None = None,
    time_s: NDArray[np.float64] | None = None,
    warnings: Sequence[str] = (),
) -> xr.Dataset:
    """Build a thermogram and check it.

    ``temperature_c`` is float32 or float64 (y, x), or (time, y, x) together with ``time_s`` (time,); ``counts``
    has its shape.
    Raises :class:`InvalidThermogramError`.
    """
    dims = ("y", "x") if temperature_c.ndim == 2 else ("time", "y", "x")
    variables: dict[str, Any] = {
        "temperature": (dims, temperature_c, {"units": "degC", "long_name": "temperature"}),
    }
    if counts is not None:
        variables["counts"] = (dims, counts, {"units": "1", "long_name": "raw counts"})
    coords: dict[str, Any] = {}
    if time_s is not None:
        coords["time"] = ("time", time_s, {"units": "s", "long_name": "time since the first frame"})
    attrs: dict[str, Any] = dict.fromkeys(ATTRIBUTES)
    attrs["contract"] = CONTRACT
    attrs |= asdict(camera or CameraIdentity())
    attrs |= asdict(parameters or ObjectParameters())
    if calibration is not None:
        attrs |= asdict(calibration)
    attrs |= {f"provenance_{key}": value for key, value in asdict(provenance).items()}
    attrs["warnings"] = list(warnings)
    thermogram = xr.Dataset(variables, coords=coords, attrs=attrs)
    check_thermogram(thermogram)
    return thermogram


def check_thermogram(thermogram: xr.Dataset) -> None:
    """Raise :class:`InvalidThermogramError`, naming everything that breaks the contract; return nothing otherwise."""
    if not isinstance(thermogram, xr.Dataset):
        raise InvalidThermogramError(
            f"thermogram: expected an xarray.Dataset; found {type(thermogram).__name__}. "
            "Open files with rewarm.open_thermogram"
        )
    problems = [*_array_problems(thermogram), *_attribute_problems(thermogram)]
    if problems:
        raise InvalidThermogramError("thermogram breaks its contract:\n  " + "\n  ".join(problems))


def _array_problems(thermogram: xr.Dataset) -> list[str]:
    if "temperature" not in thermogram:
        return [f"expected a variable `temperature`; found {sorted(map(str, thermogram.data_vars)) or 'none'}"]
    problems: list[str] = []
    temperature = thermogram["temperature"]
    if temperature.dims not in (("y", "x"), ("time", "y", "x")):
        problems.append(f"temperature: expected dims (y, x) or (time, y, x); found {temperature.dims}")
    if temperature.size == 0:
        problems.append(f"temperature: expected at least one pixel; found shape {temperature.shape}")
    if temperature.dtype not in (np.float32, np.float64):
        problems.append(f"temperature: expected float32, or float64 of decimal °C; found {temperature.dtype}")
    if temperature.attrs.get("units") != "degC":
        problems.append(f"temperature: expected units 'degC'; found {temperature.attrs.get('units')!r}")
    if "counts" in thermogram:
        counts = thermogram["counts"]
        if counts.dims != temperature.dims:
            problems.append(f"counts: expected the dims of temperature, {temperature.dims}; found {counts.dims}")
        if counts.dtype != np.uint16:
            problems.append(f"counts: expected uint16; found {counts.dtype}")
    if "time" in temperature.dims and "time" not in thermogram.coords:
        problems.append("time: expected a coordinate of seconds since the first frame; found none")
    return problems


def _attribute_problems(thermogram: xr.Dataset) -> list[str]:
    problems: list[str] = []
    if thermogram.attrs.get("contract") != CONTRACT:
        problems.append(f"contract: expected {CONTRACT!r}; found {thermogram.attrs.get('contract')!r}")
    missing = [key for key in ATTRIBUTES if key not in thermogram.attrs]
    if missing:
        problems.append(f"attrs: expected all keys of the contract; missing {', '.join(missing)}")
    if not isinstance(thermogram.attrs.get("warnings", []), list):
        problems.append("warnings: expected a list of sentences")
    return problems


def object_parameters(thermogram: xr.Dataset) -> ObjectParameters:
    """The object parameters that the temperatures were computed with; of a recording, those of its first frame."""
    return ObjectParameters(**{field.name: _own_value(thermogram, field.name) for field in fields(ObjectParameters)})


def calibration(thermogram: xr.Dataset) -> Calibration | None:
    """The camera's calibration, or ``None`` where the file held temperatures instead of counts."""
    values = {field.name: _own_value(thermogram, field.name) for field in fields(Calibration)}
    return None if any(value is None for value in values.values()) else Calibration(**values)


def _own_value(thermogram: xr.Dataset, name: str) -> Any:
    """The value in ``attrs``, unless this is one frame of a recording in which the frames differ in it."""
    if name in thermogram.coords and thermogram[name].ndim == 0:
        return float(thermogram[name])
    return thermogram.attrs[name]


def camera_identity(thermogram: xr.Dataset) -> CameraIdentity:
    """Which camera took the picture, when, and its specification."""
    return CameraIdentity(**{field.name: thermogram.attrs[field.name] for field in fields(CameraIdentity)})


def provenance(thermogram: xr.Dataset) -> Provenance:
    """Which file, which bytes, which reader, which version."""
    return Provenance(**{field.name: thermogram.attrs[f"provenance_{field.name}"] for field in fields(Provenance)})


def temperature_c(thermogram: xr.Dataset) -> NDArray[np.float32] | NDArray[np.float64]:
    """The temperatures of a still picture (y, x), °C, float32 or float64 as the thermogram holds them.

    Raises :class:`InvalidThermogramError` for a recording: its frames are chosen with ``thermogram.isel(time=...)``.
    """
    array = thermogram["temperature"]
    if array.dims != ("y", "x"):
        raise InvalidThermogramError(
            f"expected one picture with dims (y, x); found {array.dims}. Choose a frame with thermogram.isel(time=0)"
        )
    values: NDArray[np.float32] | NDArray[np.float64] = array.to_numpy()
    return values
