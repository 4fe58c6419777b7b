"""One conformance suite for all readers, and every trouble with a file that is none of a reader's business."""

from __future__ import annotations

import hashlib
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from rewarm.cameras import READERS, convert, open_thermogram
from rewarm.errors import InvalidInputError, NotRadiometricError, UnreadableFileError
from rewarm.thermogram import check_thermogram
from rewarm.version import __version__

Write = Callable[[str, bytes | str], Path]
Jpeg = Callable[..., bytes]
NAMES = [reader.name for reader in READERS]
KEEPS_COUNTS = {reader.name: reader.keeps_counts for reader in READERS}


@pytest.fixture(params=NAMES)
def sample(
    request: pytest.FixtureRequest,
    write: Write,
    tmp_path: Path,
    flir_jpeg: Jpeg,
    flir_fff: Jpeg,
    irb: Jpeg,
    celsius: NDArray[np.float32],
) -> tuple[str, Path]:
    """(reader's name, a sound file for it). Whoever adds a reader adds its sample here."""
    name: str = request.param
    if name == "FLIR JPEG":
        return name, write("a.jpg", flir_jpeg())
    if name == "FLIR FFF":
        return name, write("a.fff", flir_fff())
    if name == "InfraTec IRB":
        return name, write("a.irb", irb())
    if name == "DICOM":
        return name, write("a.dcm", request.getfixturevalue("dicom")(celsius))
    if name == "FLIR FPF":
        return name, write("a.fpf", request.getfixturevalue("fpf")(celsius))
    if name == "InfiRay IRG":
        return name, write("a.irg", request.getfixturevalue("irg")(celsius))
    if name == "npy":
        np.save(tmp_path / "a.npy", celsius)
        return name, tmp_path / "a.npy"
    if name == "TIFF":
        tifffile.imwrite(tmp_path / "a.tif", celsius)
        return name, tmp_path / "a.tif"
    if name == "text matrix":
        return name, write("a.csv", "\n".join(",".join(f"{v:.2f}" for v in row) for row in celsius))
    if name == "Zarr store":
        return name, convert(write("a.jpg", flir_jpeg()), tmp_path / "a.zarr")
    raise AssertionError(f"no sample for the reader {name!r}: add one")


def test_keeps_the_contract(sample: tuple[str, Path]) -> None:
    name, path = sample
    thermogram = open_thermogram(path)
    check_thermogram(thermogram)
    assert thermogram["temperature"].shape == (24, 32)
    assert thermogram["temperature"].values.flags.c_contiguous
    assert np.isfinite(thermogram["temperature"].values).all()
    assert ("counts" in thermogram) == KEEPS_COUNTS[name]


def test_takes_str_and_path(sample: tuple[str, Path]) -> None:
    _, path = sample
    np.testing.assert_array_equal(open_thermogram(str(path))["temperature"], open_thermogram(path)["temperature"])


def test_says_where_it_comes_from(sample: tuple[str, Path]) -> None:
    name, path = sample
    attrs = open_thermogram(path).attrs
    assert attrs["provenance_file"] == path.name
    assert attrs["provenance_reader"] == name
    assert attrs["provenance_version"] == __version__
    assert len(attrs["provenance_sha256"]) == 64
    if path.is_file():
        assert attrs["provenance_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_does_not_depend_on_the_files_name(sample: tuple[str, Path]) -> None:
    _, path = sample
    renamed = path.rename(path.with_name("noname"))
    assert open_thermogram(renamed)["temperature"].shape == (24, 32)


def test_honours_overrides_or_says_that_it_cannot(sample: tuple[str, Path]) -> None:
    name, path = sample
    if KEEPS_COUNTS[name]:
        changed = open_thermogram(path, emissivity=0.7)
        assert changed.attrs["emissivity"] == 0.7
        assert not np.allclose(changed["temperature"], open_thermogram(path)["temperature"], atol=0.1)
    else:
        with pytest.raises(InvalidInputError, match=rf"{path.name}: emissivity: expected a file that holds"):
            open_thermogram(path, emissivity=0.7)


def test_refuses_impossible_overrides(sample: tuple[str, Path]) -> None:
    with pytest.raises(InvalidInputError, match=r"emissivity: .*\n.*humidity_pct: "):
        open_thermogram(sample[1], emissivity=2, humidity_pct=-5)


def test_result_belongs_to_the_caller(sample: tuple[str, Path]) -> None:
    first, second = open_thermogram(sample[1]), open_thermogram(sample[1])
    first["temperature"].values[:] = 0
    first.attrs["warnings"].append("mine")
    assert float(second["temperature"].min()) > 0
    assert "mine" not in open_thermogram(sample[1]).attrs["warnings"]


def test_truncation_is_our_error(sample: tuple[str, Path]) -> None:
    _, path = sample
    if path.is_dir():
        path = next(file for file in (path / "counts" / "c").rglob("*") if file.is_file())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 - 7])  # inside a row: text cut between two rows is still whole text
    with pytest.raises(UnreadableFileError):
        open_thermogram(sample[1])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"nope\.jpg: expected a file; there is none of that name"):
        open_thermogram(tmp_path / "nope.jpg")
    with pytest.raises(UnreadableFileError, match="not even its folder"):
        open_thermogram(tmp_path / "no" / "nope.jpg")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"found a folder\. Name one file inside it"):
        open_thermogram(tmp_path)


def test_no_permission(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.csv", "1,2\n3,4\n")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read everything, so the system's refusal is acted
    with pytest.raises(UnreadableFileError, match="may not read"):
        open_thermogram(path)


def test_an_empty_file(write: Write) -> None:
    with pytest.raises(UnreadableFileError, match="found an empty file"):
        open_thermogram(write("a.jpg", b""))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_socket_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.jpg")
        with pytest.raises(UnreadableFileError, match="found a device, pipe or socket"):
            open_thermogram("s.jpg")


@pytest.mark.parametrize("path", ["", None, 5, b"a.jpg", ["a.jpg"]])
def test_what_names_no_file(path: object) -> None:
    with pytest.raises(InvalidInputError, match="path: expected the name of a file"):
        open_thermogram(path)  # type: ignore[arg-type]


def test_a_name_no_system_allows() -> None:
    with pytest.raises(UnreadableFileError, match="expected"):
        open_thermogram("a\0b.jpg")
    with pytest.raises(UnreadableFileError, match="expected"):
        open_thermogram("a" * 5000)


def test_text_named_jpg(write: Write) -> None:
    with pytest.raises(UnreadableFileError, match=r"expected what its name promises \(\.jpg\); found text"):
        open_thermogram(write("a.jpg", "These are my notes.\n"))


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture"),
        (b"BM\x36\0\0\0\0\0\0\0", "a BMP picture"),
        (b"GIF89a\0\0", "a GIF picture"),
        (b"%PDF-1.7\n\0", "a PDF document"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP picture"),
    ],
)
def test_pictures_are_refused_saying_what_was_looked_for(write: Write, head: bytes, words: str) -> None:
    with pytest.raises(NotRadiometricError, match=words):
        open_thermogram(write("a.png", head + bytes(64)))


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\0\0\0\x18ftypmp42", "a video"),
        (b"PK\x03\x04\x14\0", "ZIP"),
        (b"\0\x01\x02\x03", r"first bytes \(00 01 02 03"),
    ],
)
def test_other_formats_are_named_with_what_is_readable(write: Write, head: bytes, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=f"{words}.*Readable are: .*FLIR radiometric JPEG"):
        open_thermogram(write("a.bin", head + bytes(64)))


def test_damaged_gzip(write: Write) -> None:
    with pytest.raises(UnreadableFileError, match="gzip"):
        open_thermogram(write("a.csv.gz", b"\x1f\x8b" + bytes(30)))


def test_a_gzip_bomb_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    monkeypatch.setattr("rewarm.cameras.source.MAX_UNPACKED_BYTES", 1024**2)
    with pytest.raises(UnreadableFileError, match="after unpacking; found more"):
        open_thermogram(write("a.csv.gz", gzip.compress(b"1,2\n" * 1024**2)))


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)
