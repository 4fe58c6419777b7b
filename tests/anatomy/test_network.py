"""The learned finder's answer, over the picture's own pixels, and its weights."""

import numpy as np
import pytest

from rewarm.anatomy.network import (
    CLOSE_UP,
    FOOT_PARTS,
    HAND_PARTS,
    LANDMARKS,
    OVERVIEW,
    PARTS,
    SIDES,
    WEIGHTS,
    Prediction,
    find_peaks,
    load_network,
    network_facts,
    predict,
)
from rewarm.anatomy.network_input import fitting_of, to_picture
from rewarm.errors import InvalidInputError, UnreadableFileError
from rewarm.twin import scenes


def made_up(shape=(240, 320)):
    """An answer with a left toe1 in a box of the network's picture and a heel beside it, all else surroundings."""
    parts = np.full((len(PARTS), 192, 256), 0.01, dtype=np.float32)
    parts[0] = 0.84
    for name, columns in (("toe1", slice(80, 100)), ("heel", slice(100, 140))):
        parts[0, 60:90, columns], parts[PARTS.index(name), 60:90, columns] = 0.01, 0.84
    sides = np.zeros((len(SIDES), 96, 128), dtype=np.float32)
    sides[1] = 1.0
    return Prediction(parts, sides, np.zeros((len(LANDMARKS), 96, 128), np.float32), fitting_of(shape))


def peak_at(x, y, height=0.9):
    """A landmark's map with one peak; x, y in pixel edges of the network's picture."""
    rows, columns = np.mgrid[0:96, 0:128] + 0.5
    return (height * np.exp(-((columns - x / 2) ** 2 + (rows - y / 2) ** 2) / 4.5)).astype(np.float32)


def test_the_vocabulary_is_the_one_of_the_simulated_scenes():
    assert PARTS == scenes.PARTS
    assert SIDES == scenes.SIDE_CODES
    assert LANDMARKS == scenes.LANDMARKS
    assert FOOT_PARTS == ("toe1", "toe2", "toe3", "toe4", "toe5", "ball", "arch", "heel", "dorsum")
    assert HAND_PARTS == ("finger1", "finger2", "finger3", "finger4", "finger5", "palm")


@pytest.mark.parametrize("shape", [(240, 320), (320, 240), (480, 640), (90, 160)])
def test_maps_are_over_the_pictures_own_pixels(shape):
    answer = made_up(shape)
    assert answer.parts.shape == (17, *shape)
    assert answer.sides.shape == (3, *shape)
    assert answer.codes.shape == answer.foot.shape == answer.hand.shape == shape
    x, y = to_picture(np.array([[90.0, 75.0]]), answer.fitting)[0]
    assert PARTS[answer.codes[int(y), int(x)]] == "toe1"
    x, y = to_picture(np.array([[120.0, 75.0]]), answer.fitting)[0]
    assert PARTS[answer.codes[int(y), int(x)]] == "heel"


def test_the_quick_codes_are_the_largest_of_all_maps():
    random = np.random.default_rng(1)
    parts = random.dirichlet(np.ones(17), (24, 32)).astype(np.float32)
    parts = np.ascontiguousarray(parts.transpose(2, 0, 1).repeat(8, axis=1).repeat(8, axis=2))
    answer = Prediction(parts, made_up().network_sides, made_up().network_landmarks, fitting_of((300, 220)))
    np.testing.assert_array_equal(answer.codes, answer.parts.argmax(axis=0))


def test_a_foot_is_the_sum_of_its_parts():
    answer = made_up()
    first, last = PARTS.index("toe1"), PARTS.index("dorsum")
    np.testing.assert_allclose(answer.foot, answer.parts[first : last + 1].sum(axis=0), atol=1e-5)
    assert answer.foot.max() > 0.9
    assert answer.hand.max() < 0.1
    with pytest.raises(InvalidInputError, match=r"expected names of parts .* found thumb"):
        answer.probability(("thumb",))


@pytest.mark.parametrize("shape", [(240, 320), (320, 240), (480, 640)])
def test_peaks_are_found_between_pixels_in_the_pictures_coordinates(shape):
    heat = np.zeros((len(LANDMARKS), 96, 128), np.float32)
    heat[0] = np.maximum(peak_at(61.0, 80.4), peak_at(181.4, 100.0, height=0.5))
    heat[9] = peak_at(120.0, 150.0, height=0.1)  # too weak
    fitting = fitting_of(shape)
    first, second = find_peaks(heat, fitting)
    assert (first.name, second.name) == ("toe1_tip", "toe1_tip")
    assert first.score > second.score > 0.4
    expected = to_picture(np.array([[61.0, 80.4], [181.4, 100.0]]), fitting)
    np.testing.assert_allclose([(first.x, first.y), (second.x, second.y)], expected, atol=0.1)


def test_missing_weights_say_how_to_get_them(tmp_path):
    with pytest.raises(
        UnreadableFileError, match=r"overview\.onnx: expected weights of the learned finder; found no file"
    ):
        predict(np.zeros((24, 32), np.float32), weights=tmp_path)


def test_damaged_weights_are_refused(tmp_path):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"not a network")
    with pytest.raises(UnreadableFileError, match=r"damaged\.onnx: expected an ONNX network; found: .*make train"):
        load_network(damaged)


def test_cut_short_weights_are_refused(tmp_path):
    short = tmp_path / "short.onnx"
    short.write_bytes((WEIGHTS / OVERVIEW).read_bytes()[:100_000])
    with pytest.raises(UnreadableFileError, match="make train"):
        load_network(short)


def test_the_two_networks_are_not_taken_for_each_other(tmp_path):
    (tmp_path / CLOSE_UP).write_bytes((WEIGHTS / OVERVIEW).read_bytes())
    with pytest.raises(UnreadableFileError, match=r"close_up\.onnx: expected a network with .*landmarks.*; found "):
        load_network(tmp_path / CLOSE_UP)


def test_the_weights_say_where_they_come_from():
    facts = network_facts()
    assert {"format", "made_on", "source", "command", "figures"} <= set(facts)
    assert sum((WEIGHTS / name).stat().st_size for name in (OVERVIEW, CLOSE_UP)) <= 8_000_000


@pytest.mark.parametrize("shape", [(240, 320), (320, 240), (480, 640)])
def test_probabilities_add_up(shape):
    random = np.random.default_rng(3)
    answer = predict((25.0 + random.normal(0.0, 0.5, shape)).astype(np.float32))
    np.testing.assert_allclose(answer.network_parts.sum(axis=0), 1.0, atol=1e-4)
    np.testing.assert_allclose(answer.network_sides.sum(axis=0), 1.0, atol=1e-4)
    assert 0.0 <= answer.network_landmarks.min() <= answer.network_landmarks.max() <= 1.0
    assert answer.codes.shape == shape


def test_most_of_a_foot_is_found_in_scenes_never_shown():
    random = np.random.default_rng(5)
    scores = []
    while len(scores) < 12:
        scene = scenes.paint(scenes.random_layout(random, scenes.HELD_OUT), random, scenes.HELD_OUT)
        truth = np.isin(scene.layout.parts, [PARTS.index(name) for name in FOOT_PARTS])
        if truth.sum() < 400:
            continue
        found = predict(scene.celsius).foot > 0.5
        scores.append(2.0 * (found & truth).sum() / (found.sum() + truth.sum()))
    assert np.median(scores) > 0.72  # scenes as hard as can be: cut, tiny, as warm as the sheet
