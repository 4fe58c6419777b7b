"""What a recording holds, for people (`rewarm info`) and for programs (`rewarm info --json`)."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from rewarm.thermogram import calibration, camera_identity, check_thermogram, object_parameters, provenance

_PARAMETER_LABELS = {
    "emissivity": ("Emissivity", ""),
    "reflected_c": ("Reflected temperature", "°C"),
    "distance_m": ("Distance", "m"),
    "humidity_pct": ("Humidity", "%"),
    "air_c": ("Air temperature", "°C"),
    "window_c": ("Window temperature", "°C"),
    "window_transmission": ("Window transmission", ""),
}


def describe(thermogram: xr.Dataset) -> dict[str, Any]:
    """Everything worth knowing about a thermogram as a nested dict that JSON can hold.

    Keys: ``file``, ``sha256``, ``reader``, ``version``, ``camera`` (identity and specification), ``size``
    (width, height, frames), ``recording`` (null for a picture; ``duration_s`` from the first frame to the last,
    ``frames_per_s`` by the median step, null where time stands still), ``temperature_c`` (min, max, mean, median; null
    where no pixel has one; ``n_missing`` pixels without; of the first frame of a recording, which is not read whole for
    it: ``frames`` says of how many), ``parameters`` and ``calibration`` (null for temperatures) of the first frame,
    ``warnings``.
    Raises :class:`rewarm.errors.InvalidThermogramError` where the contract is broken.
    """
    check_thermogram(thermogram)
    temperature = thermogram["temperature"]
    # The frames of a recording are decoded on demand: one is enough to be shown, and all might take minutes.
    values = (temperature.isel(time=0) if "time" in temperature.dims else temperature).values
    finite = values[np.isfinite(values)].astype(np.float64)
    where_from = provenance(thermogram)
    constants = calibration(thermogram)
    return {
        "file": where_from.file,
        "sha256": where_from.sha256,
        "reader": where_from.reader,
        "version": where_from.version,
        "camera": asdict(camera_identity(thermogram)),
        "size": {
            "width": int(temperature.sizes["x"]),
            "height": int(temperature.sizes["y"]),
            "frames": int(temperature.sizes.get("time", 1)),
        },
        "recording": _recording(thermogram),
        "temperature_c": {
            "frames": 1,
            "min": _rounded(finite.min()) if finite.size else None,
            "max": _rounded(finite.max()) if finite.size else None,
            "mean": _rounded(finite.mean()) if finite.size else None,
            "median": _rounded(np.median(finite)) if finite.size else None,
            "n_missing": int(values.size - finite.size),
        },
        "parameters": {name: _finite(value) for name, value in asdict(object_parameters(thermogram)).items()},
        "calibration": None if constants is None else asdict(constants),
        "warnings": list(thermogram.attrs["warnings"]),
    }


def _recording(thermogram: xr.Dataset) -> dict[str, float | None] | None:
    if "time" not in thermogram["temperature"].dims:
        return None
    time_s = thermogram["time"].values
    step_s = float(np.median(np.diff(time_s))) if time_s.size > 1 else 0.0
    return {
        "duration_s": _rounded(time_s[-1] - time_s[0]),
        "frames_per_s": round(1 / step_s, 3) if step_s > 0 else None,
    }


def description_text(description: dict[str, Any]) -> str:
    """The description of :func:`describe` as a few aligned lines with units."""
    camera, size, temperature = description["camera"], description["size"], description["temperature_c"]
    make, model = camera["camera_make"] or "", camera["camera_model"] or ""
    who = model if model.startswith(make) else f"{make} {model}"
    recording = description["recording"]
    of = "" if recording is None else " of the first frame"
    lines = [
        ("File", description["file"]),
        ("Read as", description["reader"]),
        ("Camera", who.strip() or "not stated in the file"),
        ("Serial number", camera["camera_serial"]),
        ("Lens", camera["lens"]),
        ("Taken at", camera["acquired_at"]),
        ("Size", f"{size['width']} × {size['height']} pixels"),
        ("Recording", None if recording is None else _recording_text(recording, size["frames"])),
        (f"Temperatures{of}", _range_text(temperature)),
        *_parameter_lines(description),
    ]
    width = max(len(label) for label, _ in lines)
    shown = [f"{label.ljust(width)}  {value}" for label, value in lines if value not in (None, "")]
    shown += [f"warning: {warning}" for warning in description["warnings"]]
    return "\n".join(shown)


def _parameter_lines(description: dict[str, Any]) -> list[tuple[str, str]]:
    if description["calibration"] is None and not any(
        value is not None for value in description["parameters"].values()
    ):
        return [("Parameters", "none: the file holds temperatures, not counts")]
    lines = []
    for name, (label, unit) in _PARAMETER_LABELS.items():
        value = description["parameters"][name]
        lines.append((label, "not stated" if value is None else f"{value:.4g} {unit}".strip()))
    return lines


def _range_text(temperature: dict[str, Any]) -> str:
    if temperature["min"] is None:
        return "none: no pixel holds a temperature"
    text = f"{temperature['min']:.2f} to {temperature['max']:.2f} °C, median {temperature['median']:.2f} °C"
    return f"{text}; {temperature['n_missing']} pixels without" if temperature["n_missing"] else text


def _recording_text(recording: dict[str, Any], frames: int) -> str:
    text = f"{frames} {'frame' if frames == 1 else 'frames'} in {recording['duration_s']:.4g} s"
    rate = recording["frames_per_s"]
    return text if rate is None else f"{text}, {rate:.4g} a second"


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
