"""InfraTec .irb against files written apart from the reader: pixels, packing, recordings, clocks, damage."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from rewarm.cameras import convert, infratec, open_thermogram
from rewarm.cameras.infratec import palette_table
from rewarm.errors import InvalidInputError, UnreadableFileError

Write = Callable[[str, bytes | str], Path]
Irb = Callable[..., bytes]
FIRST_C = 6.85 + 2 * (1700 + 40 * np.mgrid[0:24, 0:32][0] + 35 * np.mgrid[0:24, 0:32][1]) / 256
"""The first picture of the fixture: its palette begins at 280 K and has steps of 2 K."""


@pytest.mark.parametrize("packing", [0, 1])
def test_temperatures(write: Write, irb: Irb, packing: int) -> None:
    thermogram = open_thermogram(write("a.irb", irb(packing=packing)))
    assert thermogram["temperature"].dims == ("y", "x")
    assert thermogram["temperature"].dtype == np.float32
    np.testing.assert_allclose(thermogram["temperature"], FIRST_C, atol=2e-5)
    assert thermogram.attrs["warnings"] == []


def test_what_the_file_says(write: Write, irb: Irb) -> None:
    attrs = open_thermogram(write("a.irb", irb(milliseconds=(250,)))).attrs
    assert attrs["camera_make"] == "InfraTec"
    assert attrs["camera_model"] == "VARIOCAM"
    assert attrs["camera_serial"] == "5020"
    assert attrs["lens"] == "standard optics, IR 1.0/30 LW"
    assert attrs["acquired_at"] == "2014-01-14T17:33:45.250"
    stored = [attrs[key] for key in ("emissivity", "distance_m", "reflected_c", "air_c")]
    assert stored == pytest.approx([0.98, 0.8, 22.0, 23.0], abs=1e-4)
    assert attrs["humidity_pct"] is None


PIXELS = hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(0, 65535))


@settings(deadline=None, max_examples=60)
@given(pixels=PIXELS, packing=st.sampled_from([0, 1]))
def test_any_pixels(
    tmp_path_factory: pytest.TempPathFactory, irb: Irb, pixels: NDArray[np.uint16], packing: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.irb"
    path.write_bytes(irb(pixels=pixels, packing=packing))
    expected = np.minimum(6.85 + 2 * pixels.astype(float) / 256, 6.85 + 2 * 255)  # nothing follows the last entry
    np.testing.assert_allclose(open_thermogram(path)["temperature"], expected, atol=5e-5)


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("packing", [0, 1])
def test_a_recording_has_every_frame_and_its_time(write: Write, irb: Irb, chained: bool, packing: int) -> None:
    data = irb(frames=4, chained=chained, packing=packing, milliseconds=(5000, 5020, 5041, 5060))
    thermogram = open_thermogram(write("a.irb", data))
    assert thermogram["temperature"].dims == ("time", "y", "x")
    np.testing.assert_allclose(thermogram["time"], [0, 0.02, 0.041, 0.06], atol=1e-9)
    for number in range(4):
        np.testing.assert_allclose(thermogram["temperature"][number], FIRST_C + number * 20 / 256, atol=2e-5)
    assert thermogram.attrs["acquired_at"] == "2014-01-14T17:33:45"  # five seconds is a counter, no part of the clock
    assert thermogram.attrs["warnings"] == []


def test_the_clock_where_there_is_no_counter(write: Write, irb: Irb) -> None:
    days = tuple(41653.5 + seconds / 86400 for seconds in (0, 10, 25))
    thermogram = open_thermogram(write("a.irb", irb(frames=3, days=days)))
    np.testing.assert_allclose(thermogram["time"], [0, 10, 25], atol=1e-3)


def test_a_counter_that_contradicts_the_clock_gives_way(write: Write, irb: Irb) -> None:
    days = tuple(41653.5 + seconds / 86400 for seconds in (0, 10, 25))
    thermogram = open_thermogram(write("a.irb", irb(frames=3, days=days, milliseconds=(0, 1, 2))))
    np.testing.assert_allclose(thermogram["time"], [0, 10, 25], atol=1e-3)


@pytest.mark.parametrize("day", [41653.5, float("nan"), -1e300])
def test_a_clock_that_stands_still_is_said(write: Write, irb: Irb, day: float) -> None:
    thermogram = open_thermogram(write("a.irb", irb(frames=3, days=(day,))))
    np.testing.assert_array_equal(thermogram["time"], [0, 1, 2])
    assert "counts the frames instead of seconds" in thermogram.attrs["warnings"][0]
    assert (thermogram.attrs["acquired_at"] is None) == (day != 41653.5)


def test_what_the_palette_does_not_cover_is_missing() -> None:
    palette_k = np.concatenate([np.arange(40.0), 300 + np.arange(216.0)])
    palette_k[[0, 25]] = 170.5, 90.25  # a camera leaves other numbers where it has no calibration
    table = palette_table(palette_k.astype("<f4").tobytes())
    assert np.isnan(table[: 26 * 256 - 256]).all()
    palette_k[30] = 250.0
    table = palette_table(palette_k.astype("<f4").tobytes()).reshape(256, 256)
    assert np.isnan(table[:31]).all()
    np.testing.assert_allclose(table[40:255, 128] + 273.15, palette_k[40:255] + 0.5, atol=1e-4)
    np.testing.assert_allclose(table[255] + 273.15, palette_k[255], atol=1e-4)


def test_missing_and_uncalibrated_pixels_are_counted(write: Write, irb: Irb) -> None:
    palette_k = (280 + 2 * np.arange(256)).astype(np.float32)
    palette_k[8] = 400.0  # so that entry 9 is a fall, and pixels under it have no temperature
    thermogram = open_thermogram(write("a.irb", irb(palette_k=palette_k, calibrated_k=(233.0, 303.0))))
    missing = int((FIRST_C < 6.85 + 18).sum())
    hot = int((FIRST_C > 303 - 273.15).sum())
    assert int(np.isnan(thermogram["temperature"].values).sum()) == missing > 0
    assert f"{missing} of 768 pixels lie outside the camera's palette" in thermogram.attrs["warnings"][0]
    assert (
        f"{hot} of 768 pixels lie outside the camera's calibrated range, -40.1 to 29.9 °C"
        in (thermogram.attrs["warnings"][1])
    )


@pytest.mark.parametrize(("emissivity", "words"), [(1.0, "emissivity of 1,"), (float("nan"), "no readable emissivity")])
def test_an_emissivity_that_is_not_skins_is_said(write: Write, irb: Irb, emissivity: float, words: str) -> None:
    thermogram = open_thermogram(write("a.irb", irb(emissivity=emissivity)))
    assert words in thermogram.attrs["warnings"][0]
    assert "skin has 0.98" in thermogram.attrs["warnings"][0]


def test_overrides_are_refused(write: Write, irb: Irb) -> None:
    with pytest.raises(InvalidInputError, match="found an InfraTec recording, which holds finished temperatures"):
        open_thermogram(write("a.irb", irb()), emissivity=0.98)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"packing": 2}, "found 2 bytes a pixel and packing 2, which is not known here"),
        ({"depth": 4}, "found 4 bytes a pixel"),
        ({"palette_k": np.zeros(256, np.float32)}, "palette is damaged"),
        ({"pixels": np.zeros((0, 5), np.uint16)}, "the file declares 5 × 0 pixels"),
    ],
)
def test_what_cannot_be_read(write: Write, irb: Irb, changes: dict[str, object], words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        open_thermogram(write("a.irb", irb(**changes)))


def test_pictures_of_different_sizes_are_refused(write: Write, irb: Irb) -> None:
    data = bytearray(irb(frames=2, milliseconds=(0, 20)))
    second = struct.unpack_from("<I", data, 64 + 32 + 12)[0]
    struct.pack_into("<2H", data, second + 4, 16, 24)
    with pytest.raises(UnreadableFileError, match="expected pictures of one size; found 16 × 24, 32 × 24"):
        open_thermogram(write("a.irb", bytes(data)))


@pytest.mark.parametrize(
    ("at", "kind", "value", "words"),
    [
        (29, "I", 0xFFFFFFFF, "at most 1000000 blocks"),
        (29, "I", 900_000, "its index of blocks"),
        (64 + 16, "I", 100, "a picture"),
        (64 + 12, "I", 0xFFFFFFF0, "a picture"),
        (64, "I", 9, "found only sound, text or a preview"),
    ],
)
def test_a_damaged_index(write: Write, irb: Irb, at: int, kind: str, value: int, words: str) -> None:
    data = bytearray(irb())
    struct.pack_into("<" + kind, data, at, value)
    with pytest.raises(UnreadableFileError, match=words):
        open_thermogram(write("a.irb", bytes(data)))


def test_links_in_a_circle_end(write: Write, irb: Irb) -> None:
    data = bytearray(irb(frames=3, chained=True, milliseconds=(0, 20, 40)))
    at = data.index(struct.pack("<3I", 4, 100, 2))
    first = struct.unpack_from("<I", data, at - 32 + 12)[0] - 64
    struct.pack_into("<I", data, at + 12, first)
    thermogram = open_thermogram(write("a.irb", bytes(data)))
    assert thermogram["temperature"].dims == ("y", "x")


def test_overlapping_pictures_are_refused(write: Write, irb: Irb) -> None:
    """A thousand entries for the same bytes, each shifted by one: little file, much memory."""
    picture = irb()[64 + 32 * 6 :]
    slots = 200
    start = 64 + 32 * slots
    entries = b"".join(struct.pack("<8I", 1, 100, n, start, 1728 + 2 * 768, 0, 0, 0) for n in range(slots))
    header = b"\xffIRB\0".ljust(21, b"\0") + struct.pack("<3I", 100, 64, slots)
    whole = open_thermogram(write("a.irb", header.ljust(64, b"\0") + entries + picture))
    assert whole["temperature"].dims == ("y", "x")  # the same place is the same picture
    step = 8
    heads = b"".join(picture[:step] for _ in range(slots)) + picture
    entries = b"".join(struct.pack("<8I", 1, 100, n, start + n * step, 1728 + 2 * 768, 0, 0, 0) for n in range(slots))
    with pytest.raises(UnreadableFileError, match="some that overlap"):
        open_thermogram(write("b.irb", header.ljust(64, b"\0") + entries + heads))


def test_truncated_runs(write: Write, irb: Irb) -> None:
    data = bytearray(irb(packing=1, others=()))
    size = struct.unpack_from("<I", data, 64 + 16)[0]
    struct.pack_into("<I", data, 64 + 16, size - 2)
    with pytest.raises(UnreadableFileError, match="a picture's runs"):
        open_thermogram(write("a.irb", bytes(data)))


def test_frames_are_read_only_when_they_are_asked_for(write: Write, irb: Irb, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    decode = infratec.decode_picture
    monkeypatch.setattr(
        infratec, "decode_picture", lambda p, *rest: (decoded.append(p.milliseconds), decode(p, *rest))[1]
    )
    thermogram = open_thermogram(write("a.irb", irb(frames=9, milliseconds=tuple(range(0, 180, 20)))))
    assert decoded == [0]
    np.testing.assert_allclose(
        thermogram["temperature"].isel(time=[7, 2], y=3), FIRST_C[[3, 3]] + [[0.546875], [0.15625]], atol=2e-5
    )
    assert sorted(decoded[1:]) == [40, 140]


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave even a small recording on disk."""
    monkeypatch.setattr("rewarm.cameras.source.HASHED_BYTES", 1000)
    monkeypatch.setattr("rewarm.cameras.source.PARTIAL_BYTES", 500)


def test_a_long_recording_stays_on_disk(on_disk: None, write: Write, irb: Irb) -> None:
    path = write("a.irb", irb(frames=3, chained=True, packing=1, milliseconds=(0, 20, 40)))
    thermogram = open_thermogram(path)
    np.testing.assert_allclose(thermogram["temperature"][2], FIRST_C + 40 / 256, atol=2e-5)
    path.write_bytes(b"\xffIRB\0")
    with pytest.raises(UnreadableFileError, match=r"a\.irb: .*the file has changed since"):
        thermogram["temperature"].load()
    path.unlink()
    with pytest.raises(UnreadableFileError, match=r"a\.irb: .*where it was when it was opened"):
        thermogram["temperature"].load()


def test_a_recording_is_converted_whole(write: Write, irb: Irb, tmp_path: Path) -> None:
    path = write("a.irb", irb(frames=5, milliseconds=(0, 20, 40, 60, 80)))
    stored = open_thermogram(convert(path, tmp_path / "a.zarr"))
    np.testing.assert_array_equal(stored["temperature"], open_thermogram(path)["temperature"])
    np.testing.assert_allclose(stored["time"], [0, 0.02, 0.04, 0.06, 0.08])


def test_a_damaged_frame_is_named_when_it_is_read(write: Write, irb: Irb) -> None:
    data = bytearray(irb(frames=2, packing=1, others=(), milliseconds=(0, 20)))
    size = struct.unpack_from("<I", data, 64 + 32 + 16)[0]
    struct.pack_into("<I", data, 64 + 32 + 16, size - 2)
    thermogram = open_thermogram(write("a.irb", bytes(data)))
    with pytest.raises(UnreadableFileError, match=r"a\.irb: frame 2: .*a picture's runs.*drop_isel\(time=1\)"):
        thermogram["temperature"].load()


def test_parameters_that_change_are_said(write: Write, irb: Irb) -> None:
    data = bytearray(irb(frames=3, milliseconds=(0, 20, 40)))
    third = struct.unpack_from("<I", data, 64 + 64 + 12)[0]
    struct.pack_into("<f", data, third + 24, 0.5)
    warnings = open_thermogram(write("a.irb", bytes(data))).attrs["warnings"]
    assert "change within the recording, first at frame 3" in warnings[0]
