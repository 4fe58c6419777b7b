"""The image contract: what passes, and that everything that breaks it is named."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from rewarm.errors import InvalidThermogramError
from rewarm.thermogram import (
    ATTRIBUTES,
    Calibration,
    CameraIdentity,
    ObjectParameters,
    Provenance,
    calibration,
    camera_identity,
    check_thermogram,
    make_thermogram,
    object_parameters,
    provenance,
    temperature_c,
)

WHERE_FROM = Provenance(file="a.jpg", sha256="0" * 64, reader="test", version="0")
CALIBRATION = Calibration(17000.0, 0.0125, 1430.0, 1.0, -7000.0, 0.006569, 0.01262, -0.002276, -0.00667, 1.9)


def picture(shape: tuple[int, ...] = (3, 4)) -> xr.Dataset:
    time_s = np.arange(shape[0], dtype=np.float64) if len(shape) == 3 else None
    return make_thermogram(np.full(shape, 30.0, dtype=np.float32), provenance=WHERE_FROM, time_s=time_s)


def test_what_goes_in_comes_out() -> None:
    camera = CameraIdentity(camera_make="FLIR", camera_model="E60", accuracy_c=2.0, netd_mk=50.0)
    parameters = ObjectParameters(emissivity=0.98, reflected_c=22.0, distance_m=0.5, humidity_pct=40.0, air_c=22.5)
    made = make_thermogram(
        np.full((3, 4), 30.0, dtype=np.float32),
        provenance=WHERE_FROM,
        camera=camera,
        parameters=parameters,
        calibration=CALIBRATION,
        counts=np.full((3, 4), 12000, dtype=np.uint16),
        warnings=["emissivity is the camera's default"],
    )
    assert object_parameters(made) == parameters
    assert camera_identity(made) == camera
    assert calibration(made) == CALIBRATION
    assert provenance(made) == WHERE_FROM
    assert made.attrs["warnings"] == ["emissivity is the camera's default"]
    assert temperature_c(made).shape == (3, 4)


def test_attributes_are_exactly_the_documented_ones_and_survive_json() -> None:
    attrs = picture().attrs
    assert set(attrs) == set(ATTRIBUTES)
    assert json.loads(json.dumps(attrs)) == attrs


def test_a_file_of_temperatures_has_no_calibration() -> None:
    assert calibration(picture()) is None


def test_a_recording_has_seconds_and_is_not_one_picture() -> None:
    recording = picture((5, 3, 4))
    assert recording["time"].attrs["units"] == "s"
    assert temperature_c(recording.isel(time=2)).shape == (3, 4)
    with pytest.raises(
        InvalidThermogramError, match=r"expected one picture .* found \('time', 'y', 'x'\).*isel\(time=0\)"
    ):
        temperature_c(recording)


def test_everything_wrong_is_named_at_once() -> None:
    broken = picture()
    broken["temperature"] = broken["temperature"].astype(np.int32)
    broken["counts"] = ("y", np.zeros(3))
    del broken.attrs["emissivity"]
    broken.attrs["contract"] = "another 7"
    with pytest.raises(InvalidThermogramError) as caught:
        check_thermogram(broken)
    message = str(caught.value)
    for said in (
        "found int32",
        "found 'another 7'",
        "missing emissivity",
        "counts: expected the dims",
        "expected uint16",
    ):
        assert said in message


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.zeros((2, 2)), "expected an xarray.Dataset; found ndarray"),
        (xr.Dataset({"temp": ("x", [1.0])}), r"expected a variable `temperature`; found \['temp'\]"),
        (xr.Dataset(), "found none"),
    ],
)
def test_other_things_are_refused(wrong: object, said: str) -> None:
    with pytest.raises(InvalidThermogramError, match=said):
        check_thermogram(wrong)  # type: ignore[arg-type]


def test_an_empty_picture_is_refused() -> None:
    with pytest.raises(InvalidThermogramError, match=r"expected at least one pixel; found shape \(0, 4\)"):
        picture((0, 4))


def test_kelvin_is_refused() -> None:
    kelvin = picture()
    kelvin["temperature"].attrs["units"] = "K"
    with pytest.raises(InvalidThermogramError, match="expected units 'degC'; found 'K'"):
        check_thermogram(kelvin)
