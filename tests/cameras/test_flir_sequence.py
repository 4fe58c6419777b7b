"""FLIR recordings: every frame, each with its own time and parameters, and nothing read that was not asked for."""

from __future__ import annotations

import gzip
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras import flir_index, flir_sequence, open_thermogram, source
from rewarm.errors import UnreadableFileError
from rewarm.thermogram import check_thermogram

Write = Callable[[str, bytes | str], Path]
Fff = Callable[..., bytes]
COUNT = 7


@pytest.fixture(scope="module")
def film(counts: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Seven frames that differ in every pixel."""
    return np.stack([counts + np.uint16(100 * number) for number in range(COUNT)])


@pytest.fixture(scope="module")
def flir_seq(flir_fff: Fff, film: NDArray[np.uint16]) -> Callable[..., bytes]:
    """A recording of a frame every 1.5 s; ``each(number)`` gives changes of one frame."""

    def make(each: Callable[[int], dict[str, Any]] = lambda _: {}, **changes: Any) -> bytes:
        frames = []
        for number, picture in enumerate(film):
            milliseconds = 250 + 1500 * number
            told = {"seconds": 1_700_000_000 + milliseconds // 1000, "milliseconds": milliseconds % 1000}
            frames.append(flir_fff(**({"counts": picture} | told | changes | each(number))))
        return b"".join(frames)

    return make


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat every file as too long to be read whole."""
    monkeypatch.setattr(source, "HASHED_BYTES", 2000)
    monkeypatch.setattr(source, "PARTIAL_BYTES", 2000)


@pytest.mark.parametrize("raw", ["plain", "png", "jpegls", "tiff <"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_frame_comes_back(
    write: Write, flir_seq: Callable[..., bytes], film: NDArray[np.uint16], raw: str, order: str
) -> None:
    data = flir_seq(raw=raw, order=order, directory_order=order)
    thermogram = open_thermogram(write("a.seq", data))
    check_thermogram(thermogram)
    assert thermogram["temperature"].dims == ("time", "y", "x")
    np.testing.assert_array_equal(thermogram["counts"].values, film)
    np.testing.assert_allclose(thermogram["time"].values, 1.5 * np.arange(COUNT), atol=1e-9)
    assert thermogram.attrs["acquired_at"] == "2023-11-14T23:13:20.250+01:00"
    assert thermogram.attrs["warnings"] == []


def test_each_frame_is_what_it_would_be_alone(
    write: Write, flir_seq: Callable[..., bytes], flir_fff: Fff, film: NDArray[np.uint16]
) -> None:
    thermogram = open_thermogram(write("a.seq", flir_seq()))
    for number, picture in enumerate(film):
        alone = open_thermogram(write("a.fff", flir_fff(counts=picture)))
        np.testing.assert_array_equal(thermogram["temperature"][number].values, alone["temperature"].values)


@pytest.mark.usefixtures("on_disk")
def test_a_long_recording_stays_on_disk(write: Write, flir_seq: Callable[..., bytes], film: NDArray[np.uint16]) -> None:
    path = write("a.seq", flir_seq(raw="jpegls"))
    thermogram = open_thermogram(path)
    np.testing.assert_array_equal(thermogram["counts"].values, film)
    assert thermogram.attrs["provenance_sha256"].startswith("partial:")
    changed = write("b.seq", flir_seq(raw="jpegls", emissivity=0.9))
    assert open_thermogram(changed).attrs["provenance_sha256"] != thermogram.attrs["provenance_sha256"]


@pytest.mark.usefixtures("on_disk")
def test_one_long_picture_stays_a_picture(write: Write, flir_fff: Fff, counts: NDArray[np.uint16]) -> None:
    thermogram = open_thermogram(write("a.fff", flir_fff()))
    assert thermogram["temperature"].dims == ("y", "x")
    np.testing.assert_array_equal(thermogram["counts"].values, counts)


def test_only_frames_that_are_asked_for_are_decoded(
    write: Write, flir_seq: Callable[..., bytes], film: NDArray[np.uint16], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []
    real = flir_sequence.FlirCounts.decode

    def spy(self: flir_sequence.FlirCounts, frame: int, payload: Any, scratch: Any = None) -> NDArray[np.uint16]:
        decoded.append(frame)
        return real(self, frame, payload, scratch)

    monkeypatch.setattr(flir_sequence.FlirCounts, "decode", spy)
    thermogram = open_thermogram(write("a.seq", flir_seq()))
    assert decoded == [0]
    decoded.clear()
    chosen = thermogram.isel(time=slice(2, 6)).isel(time=[0, 3], y=slice(5, 9), x=[31, 0])
    assert decoded == []
    np.testing.assert_array_equal(chosen["counts"].values, film[[2, 5]][:, 5:9][:, :, [31, 0]])
    assert sorted(decoded) == [2, 5]


@pytest.mark.parametrize(
    "key",
    [
        {"time": 3},
        {"time": -1, "y": -2},
        {"time": slice(None, None, -2)},
        {"time": slice(0, 0)},
        {"y": 4, "x": slice(30, 2, -3)},
        {"time": [4, 0, 4], "y": [3, 1], "x": 7},
        {"time": xr.DataArray([0, 1, 2], dims="point"), "y": xr.DataArray([5, 6, 7], dims="point"), "x": 3},
    ],
)
@pytest.mark.parametrize("raw", ["plain", "jpegls"])
def test_indexes_as_an_array_in_memory(
    write: Write, flir_seq: Callable[..., bytes], raw: str, key: dict[str, Any]
) -> None:
    lazy = open_thermogram(write("a.seq", flir_seq(raw=raw)))
    loaded = open_thermogram(write("b.seq", flir_seq(raw=raw))).load()
    for name in ("temperature", "counts"):
        expected = loaded[name].isel(key)
        found = lazy[name].isel(key)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found.values, expected.values)


def test_parameters_of_each_frame_are_used_and_told(
    write: Write, flir_seq: Callable[..., bytes], flir_fff: Fff, film: NDArray[np.uint16]
) -> None:
    changed = {"emissivity": 0.9, "r1": 15500.0}
    path = write("a.seq", flir_seq(each=lambda number: changed if number >= 4 else {}))
    thermogram = open_thermogram(path)
    np.testing.assert_allclose(thermogram["emissivity"].values, [0.98] * 4 + [0.9] * 3, atol=1e-6)
    np.testing.assert_allclose(thermogram["planck_r1"].values, [15000.0] * 4 + [15500.0] * 3)
    assert "reflected_c" not in thermogram.coords
    told = " ".join(thermogram.attrs["warnings"])
    assert "emissivity changes within the recording, first from 0.98 to 0.9 at frame 5" in told
    assert "calibration or measurement range within the recording, first at frame 5" in told
    alone = open_thermogram(write("a.fff", flir_fff(counts=film[5], **changed)))
    np.testing.assert_array_equal(thermogram["temperature"][5].values, alone["temperature"].values)
    same = open_thermogram(path, emissivity=0.98)
    assert "emissivity" not in same.coords
    assert not any("emissivity changes" in warning for warning in same.attrs["warnings"])


def test_overrides_hold_for_all_frames(write: Write, flir_seq: Callable[..., bytes]) -> None:
    stored = open_thermogram(write("a.seq", flir_seq(emissivity=0.8, reflected_c=30.0)))
    passed = open_thermogram(write("b.seq", flir_seq()), emissivity=0.8, reflected_c=30.0)
    np.testing.assert_allclose(passed["temperature"], stored["temperature"], atol=1e-4)


def test_a_wrong_byte_order_is_told_once_for_all_frames(
    write: Write, flir_seq: Callable[..., bytes], film: NDArray[np.uint16]
) -> None:
    thermogram = open_thermogram(write("a.seq", flir_seq(raw="png, other order")))
    np.testing.assert_array_equal(thermogram["counts"].values, film)
    assert [warning for warning in thermogram.attrs["warnings"] if "byte order" in warning]


def test_the_last_frame_may_be_incomplete(
    write: Write, flir_seq: Callable[..., bytes], film: NDArray[np.uint16]
) -> None:
    whole = flir_seq()
    left = len(whole) // COUNT - 300
    thermogram = open_thermogram(write("a.seq", whole[:-300]))
    np.testing.assert_array_equal(thermogram["counts"].values, film[:-1])
    assert thermogram.attrs["warnings"] == [
        f"The recording ends within a frame: {left} bytes were left over, and 6 whole frames were read."
    ]


def test_padding_behind_the_last_counts_may_be_missing(
    write: Write, flir_seq: Callable[..., bytes], flir_fff: Fff, film: NDArray[np.uint16]
) -> None:
    def padded(number: int) -> bytes:
        data = bytearray(flir_fff(raw="jpegls", counts=film[number], seconds=1_700_000_000 + number))
        entry = data.index(b"\0\x01\0\x02", 0x40)  # the directory's entry of the counts
        length = int.from_bytes(data[entry + 16 : entry + 20], "big")
        data[entry + 16 : entry + 20] = (length + 6).to_bytes(4, "big")
        return bytes(data) + bytes(6)

    recording = padded(0) + padded(1)
    thermogram = open_thermogram(write("a.csq", recording[:-5]))
    np.testing.assert_array_equal(thermogram["counts"].values, film[:2])
    assert thermogram.attrs["warnings"] == []
    single = open_thermogram(write("b.csq", padded(1)[:-6]))
    np.testing.assert_array_equal(single["counts"].values, film[1])


def test_bytes_between_frames_are_skipped_and_told(write: Write, flir_fff: Fff, film: NDArray[np.uint16]) -> None:
    rubbish = b"FFF\0" * 30 + b"\x07" * 33
    frames = [flir_fff(counts=picture, milliseconds=n) for n, picture in enumerate(film[:3])]
    thermogram = open_thermogram(write("a.seq", frames[0] + frames[1] + rubbish + frames[2] + bytes(300)))
    np.testing.assert_array_equal(thermogram["counts"].values, film[:3])
    assert [w.split(" between")[0] for w in thermogram.attrs["warnings"]] == [f"{len(rubbish)} bytes"]


def test_the_letters_of_the_magic_among_counts_do_not_disturb(write: Write, flir_fff: Fff) -> None:
    lettered = np.full((24, 32), 0x4646, np.uint16)
    lettered[:, ::2] = 0x0046  # "FFF\0" in every row
    thermogram = open_thermogram(write("a.seq", flir_fff(counts=lettered) * 3))
    assert thermogram.sizes["time"] == 3
    single = open_thermogram(write("a.fff", flir_fff(counts=lettered)))
    assert single["temperature"].dims == ("y", "x")


def test_frames_of_another_size_are_left_out_and_told(write: Write, flir_fff: Fff, film: NDArray[np.uint16]) -> None:
    other = flir_fff(counts=film[1][:, :20])
    data = flir_fff(counts=film[0]) + other + flir_fff(counts=film[2])
    thermogram = open_thermogram(write("a.seq", data))
    np.testing.assert_array_equal(thermogram["counts"].values, film[[0, 2]])
    assert "1 of 3 frames are damaged or of another size (the first is frame 2)" in thermogram.attrs["warnings"][0]


def test_frames_without_calibration_are_left_out_and_told(
    write: Write, flir_seq: Callable[..., bytes], film: NDArray[np.uint16]
) -> None:
    thermogram = open_thermogram(write("a.seq", flir_seq(each=lambda n: {"b": -1.0} if n == 3 else {})))
    np.testing.assert_array_equal(thermogram["counts"].values, film[[0, 1, 2, 4, 5, 6]])
    assert "1 of 7 frames have no readable calibration (the first is frame 4)" in thermogram.attrs["warnings"][0]
    with pytest.raises(UnreadableFileError, match="expected the camera's calibration"):
        open_thermogram(write("b.seq", flir_seq(b=-1.0)))


def test_a_damaged_frame_is_named_when_it_is_read(write: Write, flir_seq: Callable[..., bytes]) -> None:
    data = bytearray(flir_seq(raw="jpegls"))
    at = -1
    for _ in range(3):  # within the third frame's stream
        at = data.index(b"\xff\xda", at + 1)
    data[at + 20 : at + 40] = b"\xff\xd9" * 10
    thermogram = open_thermogram(write("a.csq", bytes(data)))
    assert np.isfinite(thermogram["temperature"][1].values).all()
    with pytest.raises(UnreadableFileError, match=r"a\.csq: frame 3: .*drop_isel\(time=2\)"):
        thermogram["temperature"].values  # noqa: B018
    assert thermogram.drop_isel(time=2)["temperature"].values.shape == (6, 24, 32)


def test_without_stamps_the_frame_rate_counts(write: Write, flir_seq: Callable[..., bytes]) -> None:
    thermogram = open_thermogram(write("a.seq", flir_seq(seconds=0)))
    np.testing.assert_array_equal(thermogram["time"].values, np.arange(COUNT))
    assert "neither time stamps nor a frame rate" in thermogram.attrs["warnings"][0]
    rated = open_thermogram(write("b.seq", flir_seq(seconds=0, info_bytes=0x470, rate=25)))
    np.testing.assert_allclose(rated["time"].values, np.arange(COUNT) / 25)
    assert "stated rate of 25 frames a second" in rated.attrs["warnings"][0]
    old = open_thermogram(write("c.seq", flir_seq(info_bytes=0x310)))
    np.testing.assert_array_equal(old["time"].values, np.arange(COUNT))


def test_a_clock_that_goes_back_is_told(write: Write, flir_seq: Callable[..., bytes]) -> None:
    back = open_thermogram(write("a.seq", flir_seq(each=lambda n: {"seconds": 1_600_000_000} if n == 4 else {})))
    assert "clock goes back within the recording, first at frame 5" in back.attrs["warnings"][0]
    leap = open_thermogram(write("b.seq", flir_seq(each=lambda n: {"seconds": 1_800_000_000} if n == 6 else {})))
    assert "leaps by over a day within the recording, first at frame 7" in leap.attrs["warnings"][0]


@pytest.mark.usefixtures("on_disk")
def test_a_file_that_changed_or_went_is_noticed(write: Write, flir_seq: Callable[..., bytes]) -> None:
    path = write("a.seq", flir_seq())
    thermogram = open_thermogram(path)
    os.utime(path, ns=(1, 1))
    with pytest.raises(UnreadableFileError, match=r"a\.seq: expected the recording as it was when it was opened"):
        thermogram["temperature"][0].values  # noqa: B018
    path.unlink()
    with pytest.raises(UnreadableFileError, match=r"a\.seq: expected the recording where it was"):
        thermogram["temperature"][0].values  # noqa: B018


@pytest.mark.usefixtures("on_disk")
def test_travels_to_another_process(write: Write, flir_seq: Callable[..., bytes], film: NDArray[np.uint16]) -> None:
    thermogram = open_thermogram(write("a.seq", flir_seq()))
    again = pickle.loads(pickle.dumps(thermogram))
    np.testing.assert_array_equal(again["counts"].values, film)
    np.testing.assert_array_equal(again["temperature"].values, thermogram["temperature"].values)


def test_several_threads_give_the_same(
    write: Write, flir_seq: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("a.csq", flir_seq(raw="jpegls"))
    monkeypatch.setattr(flir_sequence, "available_workers", lambda: 1)
    alone = open_thermogram(path)["temperature"].values
    monkeypatch.setattr(flir_sequence, "available_workers", lambda: 3)
    together = open_thermogram(path)
    np.testing.assert_array_equal(together["temperature"].values, alone)
    np.testing.assert_array_equal(together["counts"].values, open_thermogram(path)["counts"].values)


def test_packed_recordings_open(write: Write, flir_seq: Callable[..., bytes], film: NDArray[np.uint16]) -> None:
    thermogram = open_thermogram(write("a.seq.gz", gzip.compress(flir_seq())))
    np.testing.assert_array_equal(thermogram["counts"].values, film)


def test_missing_pixels_of_the_first_frame_are_told(
    write: Write, flir_seq: Callable[..., bytes], film: NDArray[np.uint16]
) -> None:
    dead = film[0].copy()
    dead[0, :3] = 0
    thermogram = open_thermogram(write("a.seq", flir_seq(each=lambda n: {"counts": dead} if n == 0 else {})))
    assert thermogram.attrs["warnings"][0].startswith("In the first frame, 3 of 768 pixels have no temperature")


def test_every_truncation_gives_whole_frames_or_our_error(write: Write, flir_seq: Callable[..., bytes]) -> None:
    whole = flir_seq(raw="jpegls")
    for length in range(1, len(whole), 397):
        path = write("a.csq", whole[:length])
        try:
            thermogram = open_thermogram(path)
        except UnreadableFileError:
            continue
        assert np.isfinite(thermogram["temperature"].values).all()


def test_runs_of_equal_frames_end_where_they_end(write: Write, flir_fff: Fff, counts: NDArray[np.uint16]) -> None:
    def frame(number: int, **changes: Any) -> bytes:
        return flir_fff(counts=counts + np.uint16(number), seconds=1_700_000_000 + number, **changes)

    parts = [frame(number) for number in range(9)]
    parts[5] = frame(5, others=((0x22, bytes(99)),))  # another directory, so another length
    parts.insert(8, b"rubbish" * 5)
    thermogram = open_thermogram(write("a.seq", b"".join(parts) + parts[0][:900]))
    expected = np.stack([counts + np.uint16(number) for number in range(9)])
    np.testing.assert_array_equal(thermogram["counts"].values, expected)
    np.testing.assert_array_equal(thermogram["time"].values, np.arange(9))
    told = " ".join(thermogram.attrs["warnings"])
    assert "35 bytes between the frames" in told
    assert "900 bytes were left over, and 9 whole frames" in told


@pytest.mark.usefixtures("on_disk")
def test_frames_read_by_several_threads_are_those_read_in_turn(
    write: Write, flir_fff: Fff, counts: NDArray[np.uint16], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One frame of 40 has a damaged directory, one parameters of its own; parts of 7 frames are read at once."""

    def frame(number: int) -> bytes:
        emissivity = 0.9 if number == 33 else 0.98
        made = bytearray(
            flir_fff(counts=counts + np.uint16(number), seconds=1_700_000_000 + number, emissivity=emissivity)
        )
        if number == 20:
            made[0x14:0x20] = b"\xff" * 12
        return bytes(made)

    path = write("a.seq", b"".join(frame(number) for number in range(40)))
    monkeypatch.setattr(flir_index, "PART_FRAMES", 7)
    for workers in (1, 3):
        monkeypatch.setattr(flir_index, "available_workers", lambda workers=workers: workers)
        thermogram = open_thermogram(path)
        kept = [number for number in range(40) if number != 20]
        np.testing.assert_array_equal(thermogram["time"].values, kept)
        np.testing.assert_array_equal(thermogram["counts"].values, np.stack([counts + np.uint16(n) for n in kept]))
        np.testing.assert_allclose(thermogram["emissivity"].values, [0.9 if n == 33 else 0.98 for n in kept], atol=1e-6)
        assert thermogram.attrs["warnings"][0].endswith("and frames may be missing.")


@pytest.mark.usefixtures("on_disk")
def test_a_file_that_becomes_shorter_while_it_is_opened_is_noticed(
    write: Write, flir_seq: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not hasattr(os, "preadv"):
        pytest.skip("this system has no preadv")
    real = os.preadv
    monkeypatch.setattr(os, "preadv", lambda stream, rows, at: real(stream, rows, at) - 1)
    with pytest.raises(UnreadableFileError, match=r"a\.seq: the file became shorter while it was read"):
        open_thermogram(write("a.seq", flir_seq()))


@pytest.mark.usefixtures("on_disk")
def test_two_frames_of_the_same_length_are_no_run(
    write: Write, flir_seq: Callable[..., bytes], film: NDArray[np.uint16], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streams of the same length by chance must not cost a look at where thousands of frames would be."""

    def flat_above(row: int) -> NDArray[np.uint16]:
        picture = film[0].copy()
        picture[:row] = 15000
        return picture

    data = flir_seq(raw="jpegls", each=lambda number: {"counts": flat_above(6 if number == 3 else 3 * number)})
    monkeypatch.setattr(flir_index, "_add_alike", lambda *_: pytest.fail("taken for a run of equal frames"))
    assert open_thermogram(write("a.csq", data)).sizes["time"] == COUNT
