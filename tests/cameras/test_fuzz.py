"""Damaged bytes of every kind end in a picture or in one of our own errors: nothing else may escape."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rewarm.cameras.readers import open_thermogram
from rewarm.errors import RewarmError
from rewarm.thermogram import check_thermogram

Jpeg = Callable[..., bytes]
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.floats(0, 1), st.binary(min_size=1, max_size=8)),
        st.tuples(st.just("cut"), st.floats(0, 1), st.just(b"")),
        st.tuples(st.just("remove"), st.floats(0, 1), st.binary(min_size=1, max_size=40)),
        st.tuples(st.just("insert"), st.floats(0, 1), st.binary(min_size=1, max_size=40)),
    ),
    min_size=1,
    max_size=4,
)


def mutate(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for kind, where, patch in changes:
        # Squared, so that headers are hit more often than pixels.
        at = int(where**2 * len(data))
        if kind == "set":
            data = data[:at] + patch + data[at + len(patch) :]
        elif kind == "cut":
            data = data[:at]
        elif kind == "remove":
            data = data[:at] + data[at + len(patch) :]
        else:
            data = data[:at] + patch + data[at:]
    return data


def ends_well(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        thermogram = open_thermogram(path)
    except RewarmError as error:
        message = str(error)
    else:
        check_thermogram(thermogram)
        message = str(path)
    assert message.startswith(str(path))


@pytest.fixture(scope="module")
def originals(
    request: pytest.FixtureRequest,
    flir_jpeg: Jpeg,
    flir_fff: Jpeg,
    irb: Jpeg,
    celsius: NDArray[np.float32],
    counts: NDArray[np.uint16],
) -> dict[str, bytes]:
    def tiff(values: NDArray[np.generic], **options: object) -> bytes:
        stream = io.BytesIO()
        tifffile.imwrite(stream, values, **options)
        return stream.getvalue()

    stream = io.BytesIO()
    np.save(stream, celsius)
    rows = [",".join(f"{v:.1f}" for v in row) for row in celsius[:, :12]]
    files = {
        "plain.jpg": flir_jpeg(chunk_bytes=1500),
        "png.jpg": flir_jpeg(raw="png"),
        "tiff.jpg": flir_jpeg(raw="tiff <"),
        "jpegls.jpg": flir_jpeg(raw="jpegls"),
        "big.fff": flir_fff(order=">", directory_order="<"),
        "plain.irb": irb(),
        "runs.irb": irb(packing=1),
        "recording.irb": irb(frames=3, chained=True, milliseconds=(0, 20, 40)),
        "a.npy": stream.getvalue(),
        "float.tif": tiff(celsius),
        "zip.tif": tiff(celsius, compression="zlib", predictor=True),
        "lzw.tif": tiff(celsius, compression="lzw", tile=(16, 16)),
        "counts.tif": tiff(np.round((celsius + 273.15) * 100).astype(np.uint16), description="scale unknown"),
        "a.csv": "\n".join(rows).encode(),
        "a.txt": ("Unit: °C\n;" + "\n;".join(rows).replace(",", ";").replace(".", ",")).encode("utf-16"),
    }
    files["a.fpf"] = request.getfixturevalue("fpf")(celsius)
    if "a.irg" in KINDS:
        files["a.irg"] = request.getfixturevalue("irg")(celsius)
        files["float.dcm"] = request.getfixturevalue("dicom")(celsius, place="shared")
    return files


MAGICS = [
    b"",
    b"\xff\xd8\xff",
    b"FFF\0",
    b"\xffIRB\0",
    b"\x93NUMPY\x01\0",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"\x1f\x8b",
    b"1,2\n",
]
KINDS = ["plain.jpg", "png.jpg", "tiff.jpg", "jpegls.jpg", "big.fff", "plain.irb", "runs.irb",
         "recording.irb", "a.npy", "float.tif", "zip.tif", "lzw.tif",
         "counts.tif", "a.csv", "a.txt", "a.fpf"]  # fmt: skip
if find_spec("infiray_irg") and find_spec("pydicom"):  # the extras
    KINDS += ["a.irg", "float.dcm"]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_mutated_files(
    originals: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    changes: list[tuple[str, float, bytes]],
) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    folder.mkdir(exist_ok=True)
    ends_well(folder / kind, mutate(originals[kind], changes))


@settings(max_examples=150, deadline=None)
@given(
    head=st.sampled_from(MAGICS),
    data=st.binary(max_size=400),
)
def test_anything_at_all(tmp_path_factory: pytest.TempPathFactory, head: bytes, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    folder.mkdir(exist_ok=True)
    ends_well(folder / "any", head + data)
