"""Real FLIR recordings against what FLIR Tools exported from the same files, pixel by pixel."""

from __future__ import annotations

from pathlib import Path

import flyr
import numpy as np
import pytest

from rewarm.cameras import convert, open_thermogram
from rewarm.thermogram import check_thermogram

CLIPPED_BELOW_C = -40.0
TOLERANCE_C = 0.001


@pytest.fixture(scope="module")
def exports(real_data: Path) -> list[tuple[Path, Path]]:
    """(recording, its export) of every recording that has one."""
    folder = real_data / "flir_tools_exports"
    pairs = [(jpeg, jpeg.with_suffix(".csv.gz")) for jpeg in sorted(folder.glob("*.jpg"))]
    pairs = [(jpeg, export) for jpeg, export in pairs if export.exists()]
    if not pairs:
        pytest.skip(f"no recording with an export in {folder}")
    return pairs


def test_every_pixel_within_a_thousandth(exports: list[tuple[Path, Path]]) -> None:
    worst: dict[str, float] = {}
    for jpeg, export in exports:
        ours = open_thermogram(jpeg)["temperature"].values.astype(np.float64)
        theirs = open_thermogram(export)["temperature"].values.astype(np.float64)
        assert ours.shape == theirs.shape, jpeg.name
        compared = theirs > CLIPPED_BELOW_C
        assert compared.mean() > 0.5, jpeg.name
        worst[jpeg.name] = float(np.abs(ours - theirs)[compared].max())
    assert {name: error for name, error in worst.items() if not error <= TOLERANCE_C} == {}
    assert len(worst) == len(exports)


def test_every_real_picture_opens_and_is_plausible(real_data: Path) -> None:
    pictures = [
        path
        for folder in ("flir_tools_exports", "flir_stills", "flir_sequences")
        for path in sorted((real_data / folder).glob("*.jpg"))
    ]
    assert pictures
    for path in pictures:
        thermogram = open_thermogram(path)
        check_thermogram(thermogram)
        assert thermogram.attrs["camera_model"], path.name
        assert thermogram.attrs["acquired_at"], path.name
        assert -60 < float(np.nanmedian(thermogram["temperature"])) < 120, path.name


def test_raw_counts_are_those_that_another_reader_finds(real_data: Path) -> None:
    path = real_data / "flir_sequences" / "IR_2412.jpg"
    theirs = flyr.unpack(str(path))._FlyrThermogram__thermal
    np.testing.assert_array_equal(open_thermogram(path)["counts"].values, theirs)


def test_stored_parameters_are_doubted_aloud(real_data: Path) -> None:
    path = real_data / "flir_tools_exports" / "AFCIs_Infrared.jpg"
    thermogram = open_thermogram(path)
    assert any("emissivity is 0.95" in warning for warning in thermogram.attrs["warnings"])
    assert open_thermogram(path, emissivity=0.98).attrs["warnings"] == []


def test_conversions_of_a_real_picture(exports: list[tuple[Path, Path]], tmp_path: Path) -> None:
    jpeg = exports[0][0]
    expected = open_thermogram(jpeg)["temperature"].values
    for suffix in (".npy", ".tif", ".zarr"):
        again = open_thermogram(convert(jpeg, tmp_path / f"out{suffix}"))["temperature"].values
        np.testing.assert_array_equal(again, expected)
    again = open_thermogram(convert(jpeg, tmp_path / "out.csv"))["temperature"].values
    np.testing.assert_allclose(again, expected, atol=0.0005)
