"""One conformance suite for everything that is read on demand, and damaged bytes of every kind."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rewarm.cameras import convert, describe, open_thermogram
from rewarm.errors import RewarmError, UnreadableFileError
from rewarm.thermogram import check_thermogram

Write = Callable[[str, bytes | str], Path]
Make = Callable[..., bytes]
COUNT = 5
KINDS = ["plain.seq", "swapped.seq", "png.seq", "tiff.seq", "jpegls.csq"]
RAWS = {
    "plain.seq": ("plain", "<"),
    "swapped.seq": ("plain", ">"),
    "png.seq": ("png", "<"),
    "tiff.seq": ("tiff >", "<"),
    "jpegls.csq": ("jpegls", "<"),
}


@pytest.fixture(scope="module")
def originals(flir_fff: Make, counts: NDArray[np.uint16]) -> dict[str, bytes]:
    """Five frames, ten a second, of each kind."""
    return {
        kind: b"".join(
            flir_fff(
                counts=counts + np.uint16(50 * number),
                raw=raw,
                order=order,
                directory_order=order,
                milliseconds=100 * number,
                info_bytes=0x470,
            )
            for number in range(COUNT)
        )
        for kind, (raw, order) in RAWS.items()
    }


@pytest.fixture(params=[*KINDS, "listed.irb", "chained.irb", "counts.zarr", "celsius.zarr"])
def recording(
    request: pytest.FixtureRequest, write: Write, originals: dict[str, bytes], irb: Make, tmp_path: Path
) -> Path:
    """Whoever adds a reader of recordings adds its sample here."""
    name: str = request.param
    if name.endswith(".irb"):
        chained = name == "chained.irb"
        stamps = tuple(100 * number for number in range(COUNT))
        return write(name, irb(frames=COUNT, chained=chained, packing=int(chained), milliseconds=stamps))
    if not name.endswith(".zarr"):
        return write(name, originals[name])
    from rewarm.cameras import save_thermogram

    source = write("a.seq", originals["plain.seq"])
    if name == "counts.zarr":
        return convert(source, tmp_path / name)
    return save_thermogram(open_thermogram(source).drop_vars("counts"), tmp_path / name)


def test_keeps_the_contract_without_being_read(recording: Path) -> None:
    thermogram = open_thermogram(recording)
    check_thermogram(thermogram)
    assert thermogram["temperature"].shape == (COUNT, 24, 32)
    assert thermogram["temperature"].dtype == np.float32
    np.testing.assert_allclose(thermogram["time"].values, 0.1 * np.arange(COUNT), atol=1e-9)
    assert not thermogram["temperature"].variable._in_memory


def test_values_are_whole_and_the_callers_own(recording: Path) -> None:
    first, second = open_thermogram(recording), open_thermogram(recording)
    for name in set(first.data_vars):
        values = first[name].isel(time=2).values
        values[:] = 0
        whole = first[name].values
        assert whole.flags.c_contiguous
        assert whole.min() > 0
        whole[:] = 0
    assert float(second["temperature"].min()) > 0
    assert np.isfinite(second["temperature"].values).all()


def test_all_of_one_recording_agree(recording: Path, write: Write, originals: dict[str, bytes], irb: Make) -> None:
    if recording.suffix == ".irb":  # a scene of its own, once by an index and once by links
        expected = open_thermogram(write("expected.irb", irb(frames=COUNT)))["temperature"].values
    else:
        expected = open_thermogram(write("expected.seq", originals["plain.seq"]))["temperature"].values
    np.testing.assert_array_equal(open_thermogram(recording)["temperature"].values, expected)


def test_reductions_and_arithmetic_work_as_on_any_array(recording: Path) -> None:
    thermogram = open_thermogram(recording)
    values = thermogram["temperature"].values
    np.testing.assert_allclose(thermogram["temperature"].mean("time"), values.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose((thermogram["temperature"] + 1).max(), values.max() + 1, rtol=1e-6)
    np.testing.assert_array_equal(thermogram.sel(time=0.31, method="nearest")["temperature"], values[3])
    np.testing.assert_array_equal(
        thermogram["temperature"].transpose("y", "x", "time").values, values.transpose(1, 2, 0)
    )
    assert describe(thermogram)["recording"] == {"duration_s": 0.4, "frames_per_s": 10.0}


CHANGES = st.lists(
    st.tuples(st.sampled_from(["set", "cut", "remove", "insert", "repeat"]), st.floats(0, 1), st.binary(max_size=12)),
    min_size=1,
    max_size=4,
)


def mutate(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for kind, where, patch in changes:
        at = int(where * len(data))
        if kind == "set":
            data = data[:at] + patch + data[at + len(patch) :]
        elif kind == "cut":
            data = data[: at + 1]
        elif kind == "remove":
            data = data[:at] + data[at + 3 * len(patch) :]
        elif kind == "insert":
            data = data[:at] + patch + data[at:]
        else:
            data = data[:at] + data[: len(data) // 3] + data[at:]
    return data


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_mutated_recordings(
    originals: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    changes: list[tuple[str, float, bytes]],
) -> None:
    path = tmp_path_factory.getbasetemp() / f"mutated_{kind}"
    path.write_bytes(mutate(originals[kind], changes))
    try:
        thermogram = open_thermogram(path)
        check_thermogram(thermogram)
        thermogram.isel(time=[0, -1]).load() if "time" in thermogram.dims else thermogram.load()
    except RewarmError as error:
        message = str(error)
    else:
        message = str(path)
    assert message.startswith(str(path))


def test_declared_sizes_take_no_memory(write: Write, originals: dict[str, bytes]) -> None:
    data = originals["plain.seq"].replace(struct.pack("<3H", 2, 32, 24), struct.pack("<3H", 2, 8000, 8000))
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFileError, match="expected 128000000 bytes of raw counts for 8000 × 8000"):
            open_thermogram(write("a.seq", data))
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024**2
    finally:
        tracemalloc.stop()


def test_frames_that_claim_each_other_end(write: Write, flir_fff: Make) -> None:
    """A directory whose records lie in the directory itself: the shortest frame that there can be, many times."""
    frame = bytearray(flir_fff(info_bytes=0x310)[:0x700])
    for entry in range(6):
        at = 0x40 + 0x20 * entry
        frame[at : at + 0x20] = struct.pack(">HH7I", (0x20, 0x01)[entry % 2], 1, 100, 1, 0, 0x310, 0, 0, 0)
    with pytest.raises(UnreadableFileError):
        open_thermogram(write("a.seq", bytes(frame[:0x310]) * 3000))


def test_a_stream_without_end_mark_in_the_middle_does_not_hang(write: Write, originals: dict[str, bytes]) -> None:
    data = bytearray(originals["jpegls.csq"])
    at = -1
    for _ in range(3):
        at = data.index(b"\xff\xda", at + 1)
    end = data.index(b"FFF\0", at)
    data[at + 40 : end] = bytes(end - at - 40)
    thermogram = open_thermogram(write("a.csq", bytes(data)))
    with pytest.raises(UnreadableFileError, match=r"a\.csq: frame 3: .*JPEG-LS"):
        thermogram.load()
