"""Close-ups: cut where they say, at one size, and put back where they came from."""

import numpy as np
import pytest

from rewarm.anatomy.close_up import (
    CLOSE_UP_PX,
    LIMB_PX,
    Frame,
    close_up_channels,
    cut_out,
    frame_around,
    frames_in,
    guides_in,
    guides_of,
    merged,
)
from rewarm.anatomy.network_input import NETWORK_SHAPE, fitting_of, to_picture


def centre_of_mass(image):
    y, x = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
    return np.array([(image * (x + 0.5)).sum(), (image * (y + 0.5)).sum()]) / image.sum()


def said(boxes):
    """What the first network could say: for each (x0, y0, x1, y1, part, side) certainty in that box of the overview."""
    parts = np.zeros((17, 96, 128), np.float32)
    parts[0] = 1.0
    sides = np.zeros((3, 48, 64), np.float32)
    for x0, y0, x1, y1, part, side in boxes:
        parts[0, y0:y1, x0:x1], parts[part, y0:y1, x0:x1] = 0.0, 1.0
        sides[side, y0 // 2 : y1 // 2, x0 // 2 : x1 // 2] = 1.0
    return guides_of(parts, sides)


@pytest.mark.parametrize("shape", [(192, 256), (240, 320), (480, 640), (320, 240), (60, 80)])
def test_a_spot_is_seen_where_its_frame_says(shape):
    fitting = fitting_of(shape)
    frame = Frame(70.0, 40.0, 80.0)
    middle = to_picture(np.array([[70.0 + 80.0 * 0.6, 40.0 + 80.0 * 0.3]]), fitting)[0]
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    spread = 0.05 * min(shape)
    spot = np.exp(-((x + 0.5 - middle[0]) ** 2 + (y + 0.5 - middle[1]) ** 2) / spread**2).astype(np.float32)
    square = cut_out(spot, fitting, frame)
    assert square.shape == (CLOSE_UP_PX, CLOSE_UP_PX)
    np.testing.assert_allclose(centre_of_mass(square), (0.6 * CLOSE_UP_PX, 0.3 * CLOSE_UP_PX), atol=0.4)


def test_outside_the_picture_a_close_up_has_its_borders_median():
    picture = np.full(NETWORK_SHAPE, 24.0, np.float32)
    picture[80:110, 100:140] = 30.0
    square = cut_out(picture, fitting_of(NETWORK_SHAPE), Frame(-60.0, -60.0, 100.0))
    assert (square[:50] == 24.0).all()


def test_a_limb_is_as_long_in_every_close_up_whatever_its_distance():
    for length in (20.0, 60.0, 180.0):
        frame = frame_around((50.0, 20.0, 50.0 + length / 2, 20.0 + length))
        assert length / frame.scale == pytest.approx(LIMB_PX)
        assert frame.left + frame.side / 2 == pytest.approx(50.0 + length / 4)


def test_the_level_of_a_picture_does_not_matter():
    random = np.random.default_rng(1)
    picture = random.normal(25.0, 2.0, NETWORK_SHAPE).astype(np.float32)
    frame, fitting = Frame(20.0, 30.0, 96.0), fitting_of(NETWORK_SHAPE)
    plain = close_up_channels(picture, fitting, frame)
    assert plain.shape == (2, CLOSE_UP_PX, CLOSE_UP_PX)
    np.testing.assert_allclose(close_up_channels(picture + np.float32(7.0), fitting, frame), plain, atol=2e-3)


def test_every_limb_gets_a_frame_and_touching_feet_get_one_each():
    feet = said([(20, 20, 40, 60, 9, 1), (40, 20, 60, 60, 9, 2), (90, 10, 110, 30, 16, 1)])
    frames = frames_in(feet)
    assert [(frame.left + frame.side / 2, frame.top + frame.side / 2) for frame in frames] == [
        (60.0, 80.0),
        (100.0, 80.0),
        (200.0, 40.0),
    ]


def test_one_foot_on_whose_side_a_corner_disagrees_stays_one():
    assert len(frames_in(said([(20, 20, 40, 60, 9, 1), (20, 20, 40, 26, 9, 2)]))) == 1


def test_no_limb_is_no_frame():
    assert frames_in(said([])) == []
    assert frames_in(said([(20, 20, 22, 24, 9, 1)])) == []  # crumbs


def test_guides_show_the_frames_square():
    guides = said([(30, 20, 50, 60, 9, 1)])
    square = guides_in(guides, Frame(50.0, 30.0, 96.0))
    assert square.shape == (4, CLOSE_UP_PX, CLOSE_UP_PX)
    np.testing.assert_allclose(centre_of_mass(square[0]), (30.0, 50.0), atol=0.1)


def test_a_close_up_replaces_what_it_shows_and_fades_towards_its_border():
    over = np.stack((np.ones(NETWORK_SHAPE, np.float32), np.zeros(NETWORK_SHAPE, np.float32)))
    near = np.stack((np.zeros((96, 96), np.float32), np.ones((96, 96), np.float32)))
    both = merged(over, [near], [Frame(40.0, 30.0, 96.0)])
    np.testing.assert_allclose(both.sum(axis=0), 1.0, atol=1e-5)
    assert (both[1, 45:110, 60:120] == 1.0).all()
    assert (both[1, :30] == 0.0).all()
    assert 0.0 < both[1, 33, 88] < 1.0


def test_maps_of_any_resolution_are_put_back_in_place():
    frame = Frame(33.0, 21.0, 120.0)
    y, x = np.mgrid[0:48, 0:48]
    spot = np.exp(-((x + 0.5 - 30.0) ** 2 + (y + 0.5 - 12.0) ** 2) / 9.0).astype(np.float32)[None]
    back = merged(np.zeros((1, 96, 128), np.float32), [spot], [frame])[0]
    expected = np.array([33.0 + 120.0 * 30.0 / 48.0, 21.0 + 120.0 * 12.0 / 48.0]) / 2.0
    np.testing.assert_allclose(centre_of_mass(back), expected, atol=0.1)


def test_where_two_close_ups_meet_probabilities_still_add_up():
    random = np.random.default_rng(2)
    maps = [random.dirichlet(np.ones(3), (96, 96)).transpose(2, 0, 1).astype(np.float32) for _ in range(2)]
    over = random.dirichlet(np.ones(3), NETWORK_SHAPE).transpose(2, 0, 1).astype(np.float32)
    both = merged(over, maps, [Frame(40.0, 30.0, 90.0), Frame(80.0, 50.0, 70.0)])
    np.testing.assert_allclose(both.sum(axis=0), 1.0, atol=1e-4)
