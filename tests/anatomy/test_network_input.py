"""Any picture, fitted and normalised: points go there and back; level and missing pixels do not matter."""

import numpy as np
import pytest

from rewarm.anatomy.network_input import (
    NETWORK_SHAPE,
    fit,
    fitting_of,
    network_input,
    normalised,
    to_network,
    to_picture,
    unfit,
)
from rewarm.errors import InvalidInputError

SHAPES = [(240, 320), (480, 640), (320, 240), (60, 80), (768, 1024), (170, 65), (100, 300), (1, 1), (192, 256)]


def scene(shape=(240, 320), seed=1):
    """A warm disc on a cooler, noisy ground, °C."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    near = np.hypot(x - 0.4 * shape[1], y - 0.6 * shape[0]) < 0.2 * min(shape)
    return (24.0 + 6.0 * near + random.normal(0.0, 0.05, shape)).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_points_come_back_from_the_network(shape):
    fitting = fitting_of(shape)
    points = np.array([(0.0, 0.0), (shape[1], shape[0]), (0.3 * shape[1], 0.9 * shape[0])])
    there = to_network(points, fitting)
    assert (there >= 0.0).all()
    assert (there <= NETWORK_SHAPE[::-1]).all()
    np.testing.assert_allclose(to_picture(there, fitting), points, atol=1e-9)


@pytest.mark.parametrize("shape", [(240, 320), (320, 240), (480, 640), (150, 90)])
def test_a_spot_lands_where_its_point_says_and_comes_back(shape):
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    middle = np.array([[0.7 * shape[1], 0.25 * shape[0]]])
    spot = np.exp(-(((x + 0.5 - middle[0, 0]) ** 2 + (y + 0.5 - middle[0, 1]) ** 2) / (0.06 * min(shape)) ** 2))
    fitting = fitting_of(shape)
    fitted = fit(spot.astype(np.float32), fitting)
    np.testing.assert_allclose(centre_of_mass(fitted), to_network(middle, fitting)[0], atol=0.1)
    back = unfit(fitted, fitting)
    assert back.shape == shape
    np.testing.assert_allclose(centre_of_mass(back), middle[0], atol=0.2)


def centre_of_mass(image):
    y, x = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
    return (image * (x + 0.5)).sum() / image.sum(), (image * (y + 0.5)).sum() / image.sum()


def test_maps_of_half_the_resolution_come_back_to_the_same_place():
    fitting = fitting_of((320, 240))
    y, x = np.mgrid[0:96, 0:128]
    heat = np.exp(-((x + 0.5 - 40.0) ** 2 + (y + 0.5 - 30.0) ** 2) / 18.0).astype(np.float32)
    expected = to_picture(np.array([[80.0, 60.0]]), fitting)[0]
    np.testing.assert_allclose(centre_of_mass(unfit(heat, fitting)), expected, atol=0.2)


def test_what_a_picture_does_not_cover_has_its_borders_median():
    picture = scene((100, 300))
    fitting = fitting_of(picture.shape)
    fitted = fit(picture, fitting)
    border = np.median(np.concatenate((picture[0], picture[-1], picture[:, 0], picture[:, -1])))
    assert fitting.top > 0
    assert (fitted[: fitting.top] == border).all()
    assert (fitted[fitting.top + fitting.height :] == border).all()


def test_the_level_does_not_matter_and_beyond_the_floor_neither_does_the_spread():
    picture = scene()
    plain, _ = network_input(picture)
    warmer, _ = network_input(picture + np.float32(8.0))
    wider, _ = network_input(2.0 * picture)
    assert plain.shape == (2, *NETWORK_SHAPE)
    np.testing.assert_allclose(warmer, plain, atol=2e-3)
    np.testing.assert_allclose(wider, plain, atol=2e-3)


def test_a_picture_of_noise_alone_is_not_stretched_to_the_full_range():
    noise = (25.0 + np.random.default_rng(2).normal(0.0, 0.02, (240, 320))).astype(np.float32)
    assert np.abs(network_input(noise)[0][0]).max() < 0.3


def test_a_faint_edge_stands_out_in_the_second_channel():
    picture = np.full(NETWORK_SHAPE, 24.0, dtype=np.float32)
    picture[:, :30] = 36.0
    picture[:, 128:] += 0.4  # a thirtieth of the spread
    first, second = normalised(picture, fitting_of(NETWORK_SHAPE))
    assert first[96, 132] - first[96, 123] < 0.1
    assert second[96, 132] - second[96, 123] > 0.8


def test_a_removed_background_is_put_below_the_skin_however_it_was_removed():
    picture = scene((170, 70))
    skin = picture > 27.0
    cut_out = np.where(skin, picture, np.float32(np.nan))
    from_nan, _ = network_input(cut_out)
    from_zero, _ = network_input(np.where(skin, picture, np.float32(0.0)))
    np.testing.assert_array_equal(from_nan, from_zero)
    assert np.isfinite(from_nan).all()
    fitting = fitting_of(picture.shape)
    where = fit(skin.astype(np.float32), fitting)
    assert from_nan[0][where == 1.0].min() > from_nan[0][where == 0.0].max()


def test_a_few_missing_pixels_change_little():
    picture = scene()
    broken = picture.copy()
    broken[10:12, 10:12] = np.nan
    difference = np.abs(network_input(picture)[0][0] - network_input(broken)[0][0])
    assert difference.max() < 0.1


@pytest.mark.parametrize("picture", [np.full((20, 20), np.nan, np.float32), np.full((20, 20), np.inf, np.float32)])
def test_a_picture_without_temperatures_is_refused(picture):
    with pytest.raises(InvalidInputError, match="expected a picture of temperatures; found no finite value"):
        network_input(picture)


def test_several_pictures_and_empty_ones_are_refused():
    with pytest.raises(InvalidInputError, match=r"expected one picture \(y, x\); found an array of shape \(2, 3, 4\)"):
        network_input(np.zeros((2, 3, 4), np.float32))
    with pytest.raises(InvalidInputError, match="at least 1 × 1 pixels; found 0 × 5"):
        network_input(np.zeros((0, 5), np.float32))
