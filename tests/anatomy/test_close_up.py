"""Close-ups: upright and of one size whatever the limb's place, turn and side, and put back where they came from."""

import numpy as np
import pytest

from rewarm.anatomy.close_up import (
    CLOSE_UP_SHAPE,
    LIMB_PX,
    TOWARDS_DIGITS,
    Frame,
    alike,
    as_seen,
    close_up_channels,
    cut_out,
    frame_around,
    frames_in,
    guides_in,
    guides_of,
    merged,
    to_mirror,
)
from rewarm.anatomy.network import PARTS
from rewarm.anatomy.network_input import NETWORK_SHAPE, fitting_of, to_picture

MIDDLE = (CLOSE_UP_SHAPE[1] / 2, CLOSE_UP_SHAPE[0] / 2)
TURNED = (Frame(128.0, 96.0, 1.0), Frame(110.0, 80.0, 0.7, 35.0), Frame(128.0, 90.0, 0.9, -120.0, mirrored=True))


def centre_of_mass(image):
    y, x = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
    return np.array([(image * (x + 0.5)).sum(), (image * (y + 0.5)).sum()]) / image.sum()


def placed(frame, x, y):
    """A place of the close-up in the network's picture."""
    return frame.matrix[:, :2] @ (x, y) + frame.matrix[:, 2]


def spot_at(shape, x, y, spread):
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    return np.exp(-((columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2) / spread**2).astype(np.float32)


def said(boxes):
    """What the first network could say: for each (x0, y0, x1, y1, part, side) certainty in that box of the overview."""
    parts = np.zeros((17, 96, 128), np.float32)
    parts[0] = 1.0
    sides = np.zeros((3, 48, 64), np.float32)
    for x0, y0, x1, y1, part, side in boxes:
        parts[0, y0:y1, x0:x1], parts[part, y0:y1, x0:x1] = 0.0, 1.0
        sides[side, y0 // 2 : y1 // 2, x0 // 2 : x1 // 2] = 1.0
    return guides_of(parts, sides)


def a_foot(up, *, shape=(192, 256), middle=(120.0, 90.0), length=80.0, breadth=30.0):
    """Mask and direction of an ellipse whose digits are towards ``up``."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    x, y = columns + 0.5 - middle[0], rows + 0.5 - middle[1]
    along, across = x * up[0] + y * up[1], -x * up[1] + y * up[0]
    return (2 * along / length) ** 2 + (2 * across / breadth) ** 2 <= 1.0, (2 * along / length).astype(np.float32)


@pytest.mark.parametrize("frame", TURNED)
@pytest.mark.parametrize("shape", [(192, 256), (240, 320), (480, 640), (320, 240), (60, 80)])
def test_a_spot_is_seen_where_its_frame_says(shape, frame):
    fitting = fitting_of(shape)
    x, y = to_picture(np.array([placed(frame, 40.0, 50.0)]), fitting)[0]
    upright = cut_out(spot_at(shape, x, y, 0.04 * min(shape)), fitting, frame)
    assert upright.shape == CLOSE_UP_SHAPE
    np.testing.assert_allclose(centre_of_mass(upright), (40.0, 50.0), atol=0.5)


def test_outside_the_picture_a_close_up_has_its_borders_median():
    picture = np.full(NETWORK_SHAPE, 24.0, np.float32)
    picture[80:110, 100:140] = 30.0
    upright = cut_out(picture, fitting_of(NETWORK_SHAPE), Frame(10.0, 10.0, 1.0, 20.0))
    assert (upright == 24.0).all()


@pytest.mark.parametrize("turn", [-170.0, -60.0, 0.0, 25.0, 90.0])
@pytest.mark.parametrize("length", [20.0, 60.0, 150.0])
def test_a_foot_stands_upright_and_as_long_in_every_close_up(turn, length):
    up = (np.sin(np.deg2rad(turn)), -np.cos(np.deg2rad(turn)))
    mask, towards = a_foot(up, length=length, breadth=0.4 * length, shape=(400, 400), middle=(200.0, 200.0))
    frame = frame_around(mask, towards, mirrored=False, step=1.0)
    assert frame.turn_deg == pytest.approx(turn, abs=2.0)
    assert (frame.x, frame.y) == pytest.approx((200.0, 200.0), abs=0.6)
    assert length / frame.scale == pytest.approx(LIMB_PX[0], rel=0.08)


def test_a_broad_limb_fits_by_its_breadth():
    mask, towards = a_foot((0.0, -1.0), length=60.0, breadth=60.0)
    assert 60.0 / frame_around(mask, towards, mirrored=False, step=1.0).scale == pytest.approx(LIMB_PX[1], rel=0.08)


def test_without_a_direction_the_longer_axis_points_up():
    for up in ((0.6, -0.8), (-0.6, 0.8)):
        mask, towards = a_foot(up)
        frame = frame_around(mask, np.zeros_like(towards), mirrored=False, step=1.0)
        assert frame.turn_deg == pytest.approx(np.rad2deg(np.arctan2(0.6, 0.8)), abs=1.0)


def test_the_first_digit_lies_on_one_side_in_soles_and_backs_of_feet():
    """Digits up, seen from above: a left foot's great toe is towards the right; its sole's towards the left."""
    assert to_mirror(left=True, sole=False)
    assert not to_mirror(left=True, sole=True)
    assert to_mirror(left=False, sole=True)
    assert not to_mirror(left=False, sole=False)


def test_a_left_foot_looks_like_a_right_one():
    mask, towards = a_foot((0.0, -1.0))
    great_toe = mask & (np.arange(256) >= 120)
    plain = frame_around(mask, towards, mirrored=False, step=1.0)
    mirrored = frame_around(mask, towards, mirrored=True, step=1.0)
    fitting = fitting_of(NETWORK_SHAPE)
    as_right = cut_out(great_toe[:, ::-1].astype(np.float32), fitting, Frame(256.0 - plain.x, plain.y, plain.scale))
    as_left = cut_out(great_toe.astype(np.float32), fitting, mirrored)
    np.testing.assert_allclose(as_left, as_right, atol=1e-4)


def test_the_level_of_a_picture_does_not_matter():
    random = np.random.default_rng(1)
    picture = random.normal(25.0, 2.0, NETWORK_SHAPE).astype(np.float32)
    frame, fitting = Frame(80.0, 90.0, 1.0, 10.0), fitting_of(NETWORK_SHAPE)
    plain = close_up_channels(picture, fitting, frame)
    assert plain.shape == (2, *CLOSE_UP_SHAPE)
    np.testing.assert_allclose(close_up_channels(picture + np.float32(7.0), fitting, frame), plain, atol=2e-3)


def test_digits_lie_ahead_of_the_heel_and_of_the_palm():
    assert len(TOWARDS_DIGITS) == len(PARTS)
    along = dict(zip(PARTS, TOWARDS_DIGITS, strict=True))
    assert along["toe1"] == along["toe5"] > along["ball"] > along["arch"] > along["heel"]
    assert along["finger3"] > along["palm"]


def test_every_limb_gets_a_frame_and_touching_feet_get_one_each():
    frames = frames_in(said([(20, 20, 40, 60, 9, 1), (40, 20, 60, 60, 9, 2), (90, 10, 110, 30, 16, 1)]))
    assert [(round(frame.x), round(frame.y), frame.mirrored) for frame in frames] == [
        (60, 80, False),
        (100, 80, True),
        (200, 40, True),
    ]


def test_a_frame_turns_with_the_toes_of_its_foot():
    (frame,) = frames_in(said([(20, 40, 40, 60, 9, 2), (40, 40, 50, 60, 3, 2)]))  # heel at the left, toes at the right
    assert frame.turn_deg == pytest.approx(90.0, abs=1.0)


def test_one_foot_on_whose_side_a_corner_disagrees_stays_one():
    assert len(frames_in(said([(20, 20, 40, 60, 9, 1), (20, 20, 40, 26, 9, 2)]))) == 1


def test_no_limb_is_no_frame():
    assert frames_in(said([])) == []
    assert frames_in(said([(20, 20, 22, 24, 9, 1)])) == []  # crumbs


@pytest.mark.parametrize("frame", TURNED)
def test_guides_show_what_the_frame_shows(frame):
    guides = said([(50, 20, 75, 60, 9, 1)])
    upright = guides_in(guides, frame)
    assert upright.shape == (6, *CLOSE_UP_SHAPE)
    where = frame.inverse[:, :2] @ (120.0, 84.0) + frame.inverse[:, 2]
    row, column = int(where[1]), int(where[0])
    assert upright[0, row, column] == 1.0
    assert upright[3, row, column] == (0.0 if frame.mirrored else 1.0)


@pytest.mark.parametrize("frame", TURNED)
def test_a_close_up_replaces_what_it_shows_and_fades_towards_its_border(frame):
    over = np.stack((np.ones(NETWORK_SHAPE, np.float32), np.zeros(NETWORK_SHAPE, np.float32)))
    near = np.stack((np.zeros(CLOSE_UP_SHAPE, np.float32), np.ones(CLOSE_UP_SHAPE, np.float32)))
    both = merged(over, [near], [frame])
    np.testing.assert_allclose(both.sum(axis=0), 1.0, atol=1e-5)
    for x, y, low, high in ((*MIDDLE, 1.0, 1.0), (-8.0, 60.0, 0.0, 0.0), (2.0, 60.0, 0.1, 0.7)):
        column, row = placed(frame, x, y).astype(int)
        assert low <= both[1, row, column] <= high


@pytest.mark.parametrize("frame", TURNED)
@pytest.mark.parametrize("part", [1, 2])
def test_maps_of_any_resolution_are_put_back_in_place(frame, part):
    shape = (CLOSE_UP_SHAPE[0] // 2, CLOSE_UP_SHAPE[1] // 2)
    spot = spot_at(shape, 18.0, 22.0, 3.0)[None]
    back = merged(np.zeros((1, 192 // part, 256 // part), np.float32), [spot], [frame])[0]
    np.testing.assert_allclose(centre_of_mass(back), placed(frame, 36.0, 44.0) / part, atol=0.2)


def test_where_two_close_ups_meet_probabilities_still_add_up():
    random = np.random.default_rng(2)
    maps = [random.dirichlet(np.ones(3), CLOSE_UP_SHAPE).transpose(2, 0, 1).astype(np.float32) for _ in range(2)]
    over = random.dirichlet(np.ones(3), NETWORK_SHAPE).transpose(2, 0, 1).astype(np.float32)
    both = merged(over, maps, [Frame(80.0, 75.0, 0.9, 15.0), Frame(100.0, 85.0, 0.7, -30.0, mirrored=True)])
    np.testing.assert_allclose(both.sum(axis=0), 1.0, atol=1e-4)


def test_sides_get_back_the_names_of_the_picture():
    sides = np.stack([np.full((4, 2), value, np.float32) for value in (0.1, 0.2, 0.7)])
    assert as_seen(sides, TURNED[0])[1, 0, 0] == np.float32(0.2)
    assert as_seen(sides, TURNED[2])[1, 0, 0] == np.float32(0.7)


def test_frames_that_show_nearly_the_same_are_alike():
    frame = Frame(100.0, 80.0, 0.5, 178.0, mirrored=True)
    assert alike(frame, Frame(100.5, 80.5, 0.51, -179.0, mirrored=True))
    assert not alike(frame, Frame(100.5, 80.5, 0.51, -179.0))
    for other in ((102.0, 80.0, 0.5, 178.0), (100.0, 80.0, 0.53, 178.0), (100.0, 80.0, 0.5, 170.0)):
        assert not alike(frame, Frame(*other, mirrored=True))
