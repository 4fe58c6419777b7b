"""NumPy files: any plain number type comes back; what cannot be a picture in °C is refused with a reason."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.cameras import open_thermogram
from rewarm.errors import InvalidInputError, UnreadableFileError

Write = Callable[[str, bytes | str], Path]
Matrix = NDArray[np.float32]


def npy(values: NDArray[np.generic], *, allow_pickle: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=allow_pickle)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_floats_come_back(write: Write, celsius: Matrix, dtype: str, order: str) -> None:
    values = celsius.astype(dtype, order=order)  # type: ignore[call-overload]
    np.testing.assert_array_equal(open_thermogram(write("a.npy", npy(values)))["temperature"], celsius)


def test_whole_degrees_and_missing_pixels(write: Write) -> None:
    whole = np.arange(20, 32).reshape(3, 4)
    np.testing.assert_array_equal(open_thermogram(write("a.npy", npy(whole)))["temperature"], whole)
    some = whole.astype(np.float32)
    some[1, 2] = np.nan
    np.testing.assert_array_equal(open_thermogram(write("b.npy", npy(some)))["temperature"], some)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([["a", None]], dtype=object), "plain numbers .*found object"),
        (np.ones((3, 3), dtype=bool), "found bool"),
        (np.ones((3, 3), dtype=complex), "found complex128"),
        (np.zeros((3, 3), dtype=[("a", "f4")]), "plain numbers"),
        (np.ones((2, 3, 4)), r"found shape \(2, 3, 4\)"),
        (np.ones(5), r"found shape \(5,\)"),
        (np.empty((0, 3)), "declares 3 × 0"),
        (np.full((3, 3), np.nan), "found no number at all"),
        (np.full((3, 3), np.inf), "infinite"),
        (np.full((3, 3), 300.0), "looks like kelvin"),
        (np.full((3, 3), 16000, dtype=np.uint16), "looks like raw counts"),
        (np.full((3, 3), 1e300), "looks like raw counts or scaled numbers"),
    ],
)
def test_what_is_no_picture_in_celsius(write: Write, values: NDArray[np.generic], words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        open_thermogram(write("a.npy", npy(values, allow_pickle=values.dtype.hasobject)))


def test_declared_size_is_not_believed(write: Write) -> None:
    whole = npy(np.ones((24, 32)))
    huge = whole.replace(b"(24, 32)", b"(9e9, 2)").replace(b"(9e9, 2)", b"(99999999, 99999999)"[:8])
    with pytest.raises(UnreadableFileError):
        open_thermogram(write("a.npy", huge))
    with pytest.raises(UnreadableFileError, match="truncated"):
        open_thermogram(write("b.npy", whole[:-1]))


def test_a_petabyte_is_refused_before_it_is_allocated(write: Write) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (10**8, 10**7)})
    with pytest.raises(UnreadableFileError, match="declares 10000000 × 100000000 pixels"):
        open_thermogram(write("a.npy", stream.getvalue()))


def test_overrides_cannot_be_honoured(write: Write, celsius: Matrix) -> None:
    with pytest.raises(InvalidInputError, match="distance_m: expected a file that holds the camera's raw counts"):
        open_thermogram(write("a.npy", npy(celsius)), distance_m=2)
