"""The photo inside a FLIR file: its colours, its place on the thermal picture, and what is said where there is none."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rewarm.cameras import visible_photo
from rewarm.cameras.flir_photo import photo_to_thermal
from rewarm.errors import NotRadiometricError, RewarmError, UnreadableFileError

Write = Callable[[str, bytes | str], Path]
Make = Callable[..., bytes]
WIDTH, HEIGHT = 80, 60


@pytest.fixture(scope="module")
def colours() -> NDArray[np.uint8]:
    """60 rows of 80: a slope, with patches of red, green, blue and grey."""
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    picture[:20, :30], picture[:20, 30:60], picture[30:50, :40] = (220, 30, 40), (20, 200, 60), (30, 40, 210)
    return picture


def photo_record(content: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "3H", 3, WIDTH, HEIGHT).ljust(0x20, b"\0") + content


def alignment_record(ratio: float = 1.25, x: int = 4, y: int = -6, inset: tuple[int, ...] = (8, 24, 6, 18)) -> bytes:
    return struct.pack("<f6h", ratio, x, y, *inset).ljust(32, b"\0")


def as_png(colours: NDArray[np.uint8]) -> bytes:
    """As the camera does it: Y, Cb, Cr in the places of red, green, blue."""
    red, green, blue = (colours[..., channel].astype(float) for channel in range(3))
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    ycc = np.stack([y, 128 + (blue - y) / 1.772, 128 + (red - y) / 1.402], axis=-1)
    return imagecodecs.png_encode(np.rint(ycc).astype(np.uint8))


def test_a_jpeg_photo_with_its_place(write: Write, flir_jpeg: Make, colours: NDArray[np.uint8]) -> None:
    content = imagecodecs.jpeg8_encode(colours, level=95)
    photo = visible_photo(write("a.jpg", flir_jpeg(others=((0x0E, photo_record(content)), (0x2A, alignment_record())))))
    assert photo.image.shape == (HEIGHT, WIDTH, 3)
    assert photo.image.dtype == np.uint8
    assert np.abs(photo.image[5, 10].astype(int) - (220, 30, 40)).max() < 12
    assert np.abs(photo.image[40, 10].astype(int) - (30, 40, 210)).max() < 12
    assert photo.inset == (8, 6, 24, 18)
    assert photo.to_thermal is not None
    # The thermal picture, 32 wide, covers 80 / 1.25 = 64 photo pixels: half a thermal pixel each.
    np.testing.assert_allclose(photo.to_thermal[:, :2], np.eye(2) * 0.5)
    middle = photo.to_thermal @ (39.5 + 4, 29.5 - 6, 1)
    np.testing.assert_allclose(middle, (15.5, 11.5))


@pytest.mark.parametrize("container", ["jpeg", "fff"])
def test_a_png_photo_in_its_own_colours(
    write: Write, flir_jpeg: Make, flir_fff: Make, colours: NDArray[np.uint8], container: str
) -> None:
    make = flir_jpeg if container == "jpeg" else flir_fff
    photo = visible_photo(write("a.jpg", make(others=((0x0E, photo_record(as_png(colours), ">")),))))
    assert np.abs(photo.image.astype(int) - colours).max() <= 2
    assert photo.to_thermal is None
    assert photo.inset is None


def test_a_grey_photo_has_three_equal_colours(write: Write, flir_jpeg: Make, colours: NDArray[np.uint8]) -> None:
    grey = imagecodecs.png_encode(np.ascontiguousarray(colours[:, :, 0]))
    photo = visible_photo(write("a.jpg", flir_jpeg(others=((0x0E, photo_record(grey)),))))
    np.testing.assert_array_equal(photo.image, np.repeat(colours[:, :, :1], 3, axis=2))


@given(
    photo=st.tuples(st.integers(8, 4000), st.integers(8, 4000)),
    thermal=st.tuples(st.integers(8, 1024), st.integers(8, 768)),
    ratio=st.floats(0.3, 5),
    offset=st.tuples(st.integers(-300, 300), st.integers(-300, 300)),
)
def test_the_place_by_its_definition(
    photo: tuple[int, int], thermal: tuple[int, int], ratio: float, offset: tuple[int, int]
) -> None:
    affine = photo_to_thermal(photo, thermal, ratio, offset)
    middle = [(size - 1) / 2 + moved for size, moved in zip(photo, offset, strict=True)]
    np.testing.assert_allclose(affine @ (*middle, 1), [(size - 1) / 2 for size in thermal], atol=1e-8)
    across = photo[0] / ratio  # photo pixels under the whole width of the thermal picture
    left, right = (affine @ (middle[0] + sign * across / 2, middle[1], 1) for sign in (-1, 1))
    np.testing.assert_allclose((left[0], right[0]), (-0.5, thermal[0] - 0.5), atol=1e-6)


@pytest.mark.parametrize(
    ("record", "inset"),
    [
        (alignment_record(ratio=0.0), (8, 6, 24, 18)),
        (alignment_record(ratio=float("nan")), (8, 6, 24, 18)),
        (alignment_record(inset=(0, 900, 0, 18)), None),
        (b"\0" * 8, None),
    ],
)
def test_nonsense_alignment_is_left_out(
    write: Write, flir_jpeg: Make, colours: NDArray[np.uint8], record: bytes, inset: tuple[int, ...] | None
) -> None:
    content = imagecodecs.jpeg8_encode(colours)
    photo = visible_photo(write("a.jpg", flir_jpeg(others=((0x0E, photo_record(content)), (0x2A, record)))))
    assert photo.inset == inset
    assert (photo.to_thermal is None) == (inset is not None or len(record) == 8)


def test_without_a_photo(write: Write, flir_jpeg: Make, tmp_path: Path) -> None:
    with pytest.raises(
        NotRadiometricError, match=r"a\.jpg: expected a visible-light photo inside the FLIR file; found"
    ):
        visible_photo(write("a.jpg", flir_jpeg()))
    with pytest.raises(NotRadiometricError, match=r"b\.csv: expected a FLIR radiometric JPEG"):
        visible_photo(write("b.csv", "1,2\n3,4\n"))
    with pytest.raises(NotRadiometricError, match="only a picture"):
        visible_photo(write("c.jpg", imagecodecs.jpeg_encode(np.zeros((8, 8, 3), np.uint8))))
    with pytest.raises(UnreadableFileError, match="there is none of that name"):
        visible_photo(tmp_path / "no.jpg")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a" + bytes(50), "found another format"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "damaged header"),
        (imagecodecs.jpeg8_encode(np.zeros((60, 80, 3), np.uint8))[:300], "found damaged data"),
        (imagecodecs.png_encode(np.zeros((60, 80, 3), np.uint8))[:60], "found damaged data"),
        (imagecodecs.png_encode(np.zeros((60, 80, 3), np.uint16)), "expected a photo of 8 bits a colour"),
    ],
)
def test_a_damaged_photo_is_named(write: Write, flir_jpeg: Make, content: bytes, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        visible_photo(write("a.jpg", flir_jpeg(others=((0x0E, photo_record(content)),))))


def test_a_declared_size_is_not_believed(write: Write, flir_jpeg: Make, colours: NDArray[np.uint8]) -> None:
    bomb = bytearray(imagecodecs.png_encode(colours))
    bomb[16:24] = struct.pack(">II", 60000, 60000)
    with pytest.raises(UnreadableFileError, match="up to 32 megapixels"):
        visible_photo(write("a.jpg", flir_jpeg(others=((0x0E, photo_record(bytes(bomb))),))))
    bomb = bytearray(imagecodecs.jpeg8_encode(colours))
    at = bomb.index(b"\xff\xc0")
    bomb[at + 5 : at + 9] = struct.pack(">HH", 65000, 65000)
    with pytest.raises(UnreadableFileError, match="up to 32 megapixels"):
        visible_photo(write("b.jpg", flir_jpeg(others=((0x0E, photo_record(bytes(bomb))),))))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1), patch=st.binary(min_size=1, max_size=8), cut=st.booleans(), png=st.booleans())
def test_damage_of_any_kind_ends_in_a_photo_or_our_error(
    tmp_path: Path,
    flir_jpeg: Make,
    colours: NDArray[np.uint8],
    where: float,
    patch: bytes,
    cut: bool,
    png: bool,
) -> None:
    content = as_png(colours) if png else imagecodecs.jpeg8_encode(colours)
    data = flir_jpeg(others=((0x0E, photo_record(content)), (0x2A, alignment_record())))
    at = int(where * len(data))
    (tmp_path / "a.jpg").write_bytes(data[:at] if cut else data[:at] + patch + data[at + len(patch) :])
    try:
        photo = visible_photo(tmp_path / "a.jpg")
    except RewarmError:
        return
    assert photo.image.shape[2] == 3
