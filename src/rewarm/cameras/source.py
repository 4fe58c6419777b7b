"""What a reader is given: the bytes of one file (or the folder of a store), its name and its hash."""

from __future__ import annotations

import hashlib
import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rewarm.errors import UnreadableFileError
from rewarm.thermogram import Provenance
from rewarm.version import __version__

MAX_PIXELS: Final = 64 * 1024 * 1024
"""No thermal detector comes near; a file that declares more is damaged or means harm."""
MAX_FILE_BYTES: Final = 4 * 1024**3
MAX_UNPACKED_BYTES: Final = 512 * 1024**2
HEAD_BYTES: Final = 4096
HASHED_BYTES: Final = 16 * 1024**2
"""What is hashed whole on opening, in 15 ms; the hash of a long recording would take seconds, and says so itself."""
PARTIAL_BYTES: Final = 1024**2
PARTIAL: Final = "partial:"
GZIP_MAGIC: Final = b"\x1f\x8b"
STORE_METADATA: Final = "zarr.json"
"""The file that makes a folder a Zarr v3 store."""


@dataclass(frozen=True, eq=False)
class Source:
    """One input as a reader sees it.

    ``data`` are the (unpacked) bytes; empty for a store that is a folder. ``suffix`` is the file name's last suffix in
    lower case, without a ``.gz``. ``sha256`` is the hash of the bytes on disk. A recording that ``stays_on_disk`` was
    too long to be read whole: ``data`` are its first 4,096 bytes, and ``sha256`` is "partial:" and a hash of its
    length, its first and its last MiB.
    """

    path: Path
    data: bytes
    suffix: str
    sha256: str
    stays_on_disk: bool = False

    def provenance(self, reader: str) -> Provenance:
        """Where a thermogram that ``reader`` makes of this comes from."""
        return Provenance(file=self.path.name, sha256=self.sha256, reader=reader, version=__version__)


def load_source(path: Path, *, may_stay: Callable[[bytes], bool] = lambda _: False) -> Source:
    """Read ``path`` whole; every trouble with a file, before its content matters, ends here.

    A gzip'd file is unpacked. A file of over 16 MiB is left on disk if ``may_stay``, asked with its first 4,096 bytes,
    says that its reader takes from it what is asked for. Raises :class:`UnreadableFileError`.
    """
    try:
        if path.is_dir():
            sha256 = hash_folder(path) if (path / STORE_METADATA).is_file() else ""
            return Source(path=path, data=b"", suffix=path.suffix.lower(), sha256=sha256)
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise UnreadableFileError("expected a file; found a device, pipe or socket")
        if about.st_size > HASHED_BYTES and may_stay(_head(path)):
            sha256 = _partial_hash(path, about.st_size)
            return Source(path, data=_head(path), suffix=path.suffix.lower(), sha256=sha256, stays_on_disk=True)
        if about.st_size > MAX_FILE_BYTES:
            raise UnreadableFileError(f"expected a file of at most 4 GiB; found {about.st_size / 1024**3:.1f} GiB")
        packed = path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(_explain_os_error(path, error)) from error
    except ValueError as error:  # a NUL in the name
        raise UnreadableFileError(f"expected the path of a file; {error}") from error
    if not packed:
        raise UnreadableFileError("expected a recording; found an empty file (0 bytes). Copy it again from the camera")
    data, suffix = packed, path.suffix.lower()
    if packed.startswith(GZIP_MAGIC):
        data = _unpack_gzip(packed)
        suffix = Path(path.stem).suffix.lower() if suffix == ".gz" else suffix
    return Source(path=path, data=data, suffix=suffix, sha256=hashlib.sha256(packed).hexdigest())


def check_size(width: int, height: int) -> None:
    """Raise :class:`UnreadableFileError` unless a picture of that size can be real."""
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise UnreadableFileError(
            f"expected a picture of 1 to {MAX_PIXELS // 1024**2} megapixels; the file declares {width} × {height} "
            "pixels, so it is damaged. Copy it again from the camera"
        )


def _explain_os_error(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        if path.parent.is_dir():
            folder = path.absolute().parent
            return f"expected a file; there is none of that name in the folder {folder}. Check the spelling"
        return f"expected a file; not even its folder {path.parent} exists. Check the path"
    if isinstance(error, PermissionError):
        return "expected a readable file; found one that this account may not read. Ask for permission or copy it"
    return f"expected a readable file; the system answered: {error.strerror or error}"


def _unpack_gzip(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(packed, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise UnreadableFileError(f"expected gzip data; found damaged ones ({error}). Copy the file again") from error
    if unpacker.unconsumed_tail:
        raise UnreadableFileError(f"expected at most {MAX_UNPACKED_BYTES // 1024**2} MiB after unpacking; found more")
    if not unpacker.eof or not data:
        raise UnreadableFileError("expected gzip data; found a truncated or empty file. Copy the file again")
    return data


def hash_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_folder(folder: Path) -> str:
    """A hash over the names and bytes of all files of a store, in an order that no file system changes.

    Of a store of over 16 MiB: "partial:" and a hash of its metadata, which name the camera's file and its hash.
    """
    files, size = [], 0
    for file in folder.rglob("*"):
        if file.is_file():
            files.append(file)
            size += file.stat().st_size
        if size > HASHED_BYTES:
            files = [*folder.glob(STORE_METADATA), *folder.glob(f"*/{STORE_METADATA}")]
            break
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda item: item.as_posix()):
        digest.update(file.relative_to(folder).as_posix().encode("utf-8") + b"\0")
        digest.update(bytes.fromhex(hash_file(file)))
    return PARTIAL * (size > HASHED_BYTES) + digest.hexdigest()


def _partial_hash(path: Path, size: int) -> str:
    digest = hashlib.sha256(str(size).encode("ascii"))
    with path.open("rb") as stream:
        digest.update(stream.read(PARTIAL_BYTES))
        stream.seek(-PARTIAL_BYTES, 2)
        digest.update(stream.read(PARTIAL_BYTES))
    return PARTIAL + digest.hexdigest()


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(HEAD_BYTES)
