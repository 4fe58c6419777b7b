"""The front of a sole, divided into five toes at the notches of its rim and at the line through its webs."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.anatomy.lobes import even, front_rim, uneven
from rewarm.anatomy.pose import fit_silhouette
from rewarm.anatomy.sole_shape import Pose
from rewarm.anatomy.toes import ToeSplit, split_toes, toe_labels
from rewarm.regions import TOES, Mask
from rewarm.twin import DrawnSoles

Sole = tuple[NDArray[np.float32], DrawnSoles, Mask, Pose]


@pytest.fixture(scope="module", params=[0, 5])
def sole(request: pytest.FixtureRequest, scenes: ModuleType) -> Sole:
    """A left sole's picture, its truth, its true silhouette and the pose that fits it."""
    picture, truth = scenes.soles(request.param, one=True)
    mask = truth.regions.get("left", "foot").mask
    pose = next(fit.pose for fit in fit_silhouette(mask) if not fit.pose.mirrored)
    return picture, truth, mask, pose


def split(sole: Sole) -> ToeSplit:
    picture, _, mask, pose = sole
    found = split_toes(picture, mask, pose)
    assert found is not None
    return found


def test_the_rim_runs_from_the_great_toe_to_the_little_one_and_bends_in_between_toes(sole: Sole) -> None:
    _, _, mask, pose = sole
    rim = front_rim(mask, pose)
    assert rim is not None
    assert rim.points[0, 0] < -0.1
    assert rim.points[-1, 0] > 0.1
    np.testing.assert_allclose(np.hypot(*rim.inwards.T), 1.0)
    top = int(np.argmax(rim.points[:, 1]))
    assert rim.concavity[top] < 0 < rim.concavity.max()
    assert rim.inwards[top, 1] < -0.7  # at the tips, inwards is towards the heel


def test_webs_lie_where_they_were_drawn(sole: Sole) -> None:
    _, truth, _, pose = sole
    drawn = np.array([truth.regions.landmarks[f"left_web{i}"] for i in range(1, 5)])
    found = pose.to_picture(uneven(split(sole).webs, pose))
    errors = np.hypot(*(found - drawn).T) / pose.length
    assert errors.max() < 0.06
    assert np.median(errors) < 0.035


def test_toes_overlap_those_that_were_drawn(sole: Sole, scenes: ModuleType) -> None:
    _, truth, mask, pose = sole
    rows, columns = np.nonzero(mask)
    labels = toe_labels(split(sole), pose.to_foot(np.stack([columns + 0.5, rows + 0.5], axis=1)), pose)
    for number, toe in enumerate(TOES, start=1):
        own = np.zeros_like(mask)
        own[rows[labels == number], columns[labels == number]] = True
        assert scenes.dice(own, truth.regions.get("left", toe).mask) > 0.82, toe


def test_what_lies_behind_the_line_through_the_webs_is_no_toe(sole: Sole) -> None:
    *_, pose = sole
    found = split(sole)
    middle = 0.5 * (found.webs[:-1] + found.webs[1:])
    for step, toes in ((0.02, [2, 3, 4]), (-0.02, [0, 0, 0])):
        points = uneven(middle + np.array([0.0, step]), pose)
        assert toe_labels(found, points, pose).tolist() == toes


def test_borders_run_from_web_to_notch(sole: Sole) -> None:
    *_, pose = sole
    found = split(sole)
    for number, (web, notch) in enumerate(zip(found.webs, found.notches, strict=True), start=1):
        way = notch - web
        beside = 0.01 * np.array([way[1], -way[0]]) / np.hypot(*way)  # towards the little toe
        points = uneven(0.5 * (web + notch) + np.stack([-beside, beside]), pose)
        assert toe_labels(found, points, pose).tolist() == [number, number + 1]


def test_a_silhouette_that_ends_before_the_toes_has_none(sole: Sole) -> None:
    picture, _, mask, pose = sole
    rows, columns = np.nonzero(mask)
    behind = pose.to_foot(np.stack([columns + 0.5, rows + 0.5], axis=1))[:, 1] < 0.55
    heel = np.zeros_like(mask)
    heel[rows[behind], columns[behind]] = True
    assert split_toes(picture, heel, pose) is None


def test_even_coordinates_return(sole: Sole) -> None:
    *_, pose = sole
    points = np.array([[0.1, 0.2], [-0.3, 0.9]])
    np.testing.assert_allclose(uneven(even(points, pose), pose), points)
