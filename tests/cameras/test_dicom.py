"""DICOM against objects built by hand with pydicom, and written maps read back by pydicom and highdicom."""

from __future__ import annotations

import io
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from rewarm.cameras import convert, open_thermogram, save_thermogram
from rewarm.errors import InvalidInputError, NotRadiometricError, OutputError, RewarmError, UnreadableFileError
from rewarm.thermogram import CameraIdentity, ObjectParameters, Provenance, make_thermogram

pydicom = pytest.importorskip("pydicom", reason="DICOM is an extra: pip install rewarm[dicom]")

Write = Callable[[str, bytes | str], Path]
Matrix = NDArray[np.float32]
Dicom = Callable[..., bytes]
WHERE_FROM = Provenance(file="a.jpg", sha256="ab" * 32, reader="test", version="0")


def opened(path: Path) -> NDArray[Any]:
    return open_thermogram(path)["temperature"].values


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("place", ["top", "shared", "per frame"])
def test_float_celsius(write: Write, dicom: Dicom, celsius: Matrix, dtype: type, big_endian: bool, place: str) -> None:
    path = write("a.dcm", dicom(celsius.astype(dtype), big_endian=big_endian, place=place))
    thermogram = open_thermogram(path)
    assert thermogram["temperature"].dtype == dtype
    np.testing.assert_array_equal(thermogram["temperature"], celsius)
    assert thermogram.attrs["warnings"] == []
    assert thermogram.attrs["camera_make"] == "Maker"
    assert thermogram.attrs["camera_serial"] == "5020"
    assert thermogram.attrs["acquired_at"] == "2024-02-03T10:11:12.250000+01:00"


def test_nothing_of_the_patient_is_taken_over(write: Write, dicom: Dicom, celsius: Matrix) -> None:
    assert "Doe" not in str(open_thermogram(write("a.dcm", dicom(celsius))).attrs)


def test_kelvin(write: Write, dicom: Dicom, celsius: Matrix) -> None:
    thermogram = open_thermogram(write("a.dcm", dicom((celsius + 273.15).astype(np.float32), unit="K")))
    np.testing.assert_allclose(thermogram["temperature"], celsius, atol=4e-5)
    assert "temperatures in K" in thermogram.attrs["warnings"][0]


@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_16_bit_with_a_mapping(write: Write, dicom: Dicom, celsius: Matrix, dtype: type) -> None:
    counts = np.round((celsius.astype(float) + 40) / 0.01).astype(dtype)
    path = write("a.dcm", dicom(counts, slope=0.01, intercept=-40.0))
    np.testing.assert_allclose(opened(path), celsius, atol=1e-5)


def test_padding_is_no_temperature(write: Write, dicom: Dicom, celsius: Matrix) -> None:
    padded = celsius.copy()
    padded[:3] = -1000
    values = opened(write("a.dcm", dicom(padded, padding=-1000.0)))
    assert np.isnan(values[:3]).all()
    np.testing.assert_array_equal(values[3:], celsius[3:])


def test_a_recording(write: Write, dicom: Dicom, celsius: Matrix) -> None:
    stack = np.stack([celsius, celsius + 1, celsius + 2])
    thermogram = open_thermogram(write("a.dcm", dicom(stack, FrameTime=40)))
    np.testing.assert_array_equal(thermogram["temperature"], stack)
    np.testing.assert_allclose(thermogram["time"], [0, 0.04, 0.08])
    times = open_thermogram(
        write("b.dcm", dicom(stack, moments=["20240203101112.5", "20240203101113", "20240203101115"]))
    )
    np.testing.assert_allclose(times["time"], [0, 0.5, 2.5])
    none = open_thermogram(write("c.dcm", dicom(stack)))
    np.testing.assert_array_equal(none["time"], [0, 1, 2])
    assert "counts the frames" in none.attrs["warnings"][0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unit": "[degF]"}, r"unit Cel or K \(UCUM\); found the unit '\[degF\]' \(UCUM\)"),
        ({"unit": "Cel", "scheme": "99ME"}, r"found the unit 'Cel' \(99ME\)"),
        ({"unit": None}, "found no real-world unit at all"),
        ({"BitsAllocated": 8, "pixel_keyword": "PixelData"}, r"found a picture \(1 values of 8 bits a pixel\)"),
        ({"SamplesPerPixel": 3, "pixel_keyword": "PixelData"}, r"found a picture \(3 values"),
        ({"pixel_keyword": None}, "without pixels"),
    ],
)
def test_what_holds_no_temperatures(
    write: Write, dicom: Dicom, celsius: Matrix, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(NotRadiometricError, match=words):
        open_thermogram(write("a.dcm", dicom(celsius, **changes)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Rows": 60000, "Columns": 60000}, "found.*60000 × 60000|declares 60000"),
        ({"Rows": 25}, "25 × 32 pixels, 3200 bytes .* found 3072"),
        ({"NumberOfFrames": 2}, "expected 2 × 24 × 32"),
        ({"slope": None}, "slope and intercept; found a table, or none"),
        ({"intercept": 1e9}, "real-world value mapping is wrong"),
        ({"syntax": "1.2.840.10008.1.2.4.80"}, "found compressed ones"),
        ({"syntax": "1.2.840.10008.1.2.1.99"}, "found a deflated one"),
    ],
)
def test_what_cannot_be_read(write: Write, dicom: Dicom, celsius: Matrix, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        open_thermogram(write("a.dcm", dicom(celsius, **changes)))


def test_a_bomb_of_elements_is_refused(write: Write, dicom: Dicom, celsius: Matrix) -> None:
    bomb = dicom(celsius) + b"".join(b"\xe1\x7f\x10\x00UN\0\0\0\0\0\0" for _ in range(120_000))
    with pytest.raises(UnreadableFileError, match="more than 100000 elements"):
        open_thermogram(write("a.dcm", bomb))


def test_overrides_are_refused(write: Write, dicom: Dicom, celsius: Matrix) -> None:
    with pytest.raises(InvalidInputError, match="found a DICOM image, which holds finished temperatures"):
        open_thermogram(write("a.dcm", dicom(celsius)), emissivity=0.9)


def test_without_pydicom_the_install_line(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydicom", None)  # what Python does for a package that is not there
    with pytest.raises(UnreadableFileError, match=re.escape('pip install "rewarm[dicom]"')):
        open_thermogram(write("a.dcm", bytes(128) + b"DICM"))


def test_without_highdicom_the_install_line(
    write: Write, tmp_path: Path, celsius: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "highdicom.content", None)
    with pytest.raises(OutputError, match=re.escape('pip install "rewarm[dicom]"')):
        save_thermogram(make_thermogram(celsius, provenance=WHERE_FROM), tmp_path / "a.dcm")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_written_maps_come_back_bit_by_bit(tmp_path: Path, celsius: Matrix, dtype: type) -> None:
    highdicom = pytest.importorskip("highdicom")
    values = (celsius.astype(dtype) / 3).astype(dtype)
    values[2, 3] = np.nan
    camera = CameraIdentity(
        camera_make="FLIR", camera_model="E40", camera_serial="1", acquired_at="2024-02-03T10:11:12+01:00"
    )
    thermogram = make_thermogram(
        values, provenance=WHERE_FROM, camera=camera, parameters=ObjectParameters(emissivity=0.98, reflected_c=22.0)
    )
    path = save_thermogram(thermogram, tmp_path / "a.dcm")
    again = open_thermogram(path)
    assert again["temperature"].dtype == dtype
    np.testing.assert_array_equal(again["temperature"], values)
    assert again.attrs["camera_model"] == "E40"
    assert again.attrs["acquired_at"] == "2024-02-03T10:11:12+01:00"
    assert again.attrs["pixel_size_mm"] is None
    plain = pydicom.dcmread(path)
    np.testing.assert_array_equal(plain.pixel_array, values)
    assert plain.Modality == "TG"
    assert plain.SOPClassUID.name == "Parametric Map Storage"
    assert "emissivity 0.98. reflected temperature 22 Cel." in plain.ImageComments
    assert "1 mm is a placeholder" in plain.ImageComments
    image = highdicom.imread(path)
    np.testing.assert_array_equal(np.frombuffer(image.get_raw_frame(1), dtype).reshape(24, 32), values)
    mapping = plain.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "Cel"


def test_the_same_recording_lands_in_the_same_study(write: Write, tmp_path: Path, flir_jpeg: Dicom) -> None:
    source = write("a.jpg", flir_jpeg())
    first, second = (pydicom.dcmread(convert(source, tmp_path / name)) for name in ("a.dcm", "b.dcm"))
    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert first.SeriesInstanceUID == second.SeriesInstanceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    np.testing.assert_array_equal(opened(tmp_path / "a.dcm"), opened(source))


def test_a_picture_without_temperatures_is_not_written(tmp_path: Path, celsius: Matrix) -> None:
    nothing = make_thermogram(np.full_like(celsius, np.nan), provenance=WHERE_FROM)
    with pytest.raises(OutputError, match="found none in any pixel"):
        save_thermogram(nothing, tmp_path / "a.dcm")
    assert list(tmp_path.iterdir()) == []


FLOATS = st.floats(-50, 200, width=32)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=30), elements=FLOATS))
def test_any_picture_survives(tmp_path: Path, values: Matrix) -> None:
    path = save_thermogram(make_thermogram(values, provenance=WHERE_FROM), tmp_path / "any.dcm")
    np.testing.assert_array_equal(opened(path), values)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), patch=st.binary(min_size=1, max_size=12), cut=st.booleans())
def test_damage_is_our_error(tmp_path: Path, dicom: Dicom, celsius: Matrix, at: float, patch: bytes, cut: bool) -> None:
    data = dicom(celsius, place="shared")
    head = len(data) - celsius.nbytes
    place = 128 + int(at * (head - 128))
    path = tmp_path / "damaged.dcm"
    path.write_bytes(data[:place] if cut else data[:place] + patch + data[place + len(patch) :])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            open_thermogram(path)
        except RewarmError as error:
            assert str(error).startswith(str(path))  # noqa: PT017  (anything but an error of ours fails the test)


def test_bytes_are_left_alone(dicom: Dicom, celsius: Matrix) -> None:
    """The fixture itself: pydicom reads it as meant."""
    dataset = pydicom.dcmread(io.BytesIO(dicom(celsius)))
    np.testing.assert_array_equal(np.frombuffer(dataset.FloatPixelData, "<f4").reshape(24, 32), celsius)
