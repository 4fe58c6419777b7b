"""Neutral limbs before known cameras."""

from __future__ import annotations

import numpy as np
import pytest

from rewarm.twin.scenes import Layout, Pose
from rewarm.twin.scenes.foot import FootShape
from rewarm.twin.scenes.hand import HandShape
from rewarm.twin.scenes.layout import camera_axes
from rewarm.twin.scenes.leg import LegShape
from rewarm.twin.scenes.people import Limb, hand_with_arm, leg_with_foot, placed
from rewarm.twin.scenes.render import Camera
from rewarm.twin.scenes.truth import layout_of

STILL = Pose(plantarflexion=(0, 0), inversion=(0, 0), outward=(0, 0), abduction=(0, 0), raised=(0, 0))
STRAIGHT = FootShape(toe_angle=(0, 0, 0, 0, 0), toe_lift=(2, 2, 2, 2, 2), toe_bend=(0, 0, 0, 0, 0))
SIZE_PX = 150.0
SHAPE = (240, 240)
PALM_TO_CAMERA = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
BACK_TO_CAMERA = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def foot(side: str, *, shape: FootShape = STRAIGHT, leg: LegShape | None = None, pose: Pose = STILL) -> Limb:
    return leg_with_foot(np.random.default_rng(0), side=side, shape=shape, leg=leg, pose=pose)


def seen(limbs: list[Limb], *, elevation: float = 0.0, azimuth: float = 0.0, at: tuple[float, float]) -> Layout:
    """The limbs from the foot end (0, 0), from above (90), or from the side (azimuth ±90)."""
    return layout_of(limbs, Camera(camera_axes(elevation, azimuth, 0.0), SIZE_PX, at, 8.0), SHAPE)


@pytest.fixture(params=["left", "right"])
def side(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sole(side: str, **kwargs: object) -> Layout:
    return seen([foot(side, **kwargs)], at=(120.0, 155.0))


def back(side: str) -> Layout:
    """A foot whose toes are stretched towards the camera's upper edge, seen on its back."""
    stretched = Pose(plantarflexion=(60, 60), inversion=(0, 0), outward=(0, 0), abduction=(0, 0), raised=(0, 0))
    turned = placed(foot(side, pose=stretched), np.diag([-1.0, -1.0, 1.0]), np.zeros(3))
    return seen([turned], elevation=90.0, at=(120.0, 155.0))


def hand(side: str, axes: np.ndarray, *, shape: HandShape | None = None) -> Layout:
    limb = hand_with_arm(shape or HandShape(), side=side)
    return layout_of([limb], Camera(axes, SIZE_PX, (120.0, 120.0), 8.0), SHAPE)
