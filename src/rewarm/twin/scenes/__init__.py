"""Simulated thermal scenes of feet and hands in their surroundings, with the truth of every pixel, to train on.

A scene is drawn in two steps: :func:`random_layout` (geometry, occlusion, truth) and :func:`paint` (temperatures and
camera), so that one layout can be painted many times. Other people's hands in foot scenes are labelled as hands, with
their fingers and sides; their forearms, faces and any other skin as ``other_skin``.
"""

from rewarm.twin.scenes.layout import random_layout
from rewarm.twin.scenes.paint import paint
from rewarm.twin.scenes.ranges import (
    BARE_LEGS,
    CALM,
    HELD_OUT,
    ORDINARY,
    TRAINING,
    Anatomy,
    Cameras,
    Mix,
    Painting,
    Pose,
    Ranges,
)
from rewarm.twin.scenes.vocabulary import LANDMARKS, PARTS, SIDE_CODES, Layout, Scene

__all__ = [
    "BARE_LEGS",
    "CALM",
    "HELD_OUT",
    "LANDMARKS",
    "ORDINARY",
    "PARTS",
    "SIDE_CODES",
    "TRAINING",
    "Anatomy",
    "Cameras",
    "Layout",
    "Mix",
    "Painting",
    "Pose",
    "Ranges",
    "Scene",
    "paint",
    "random_layout",
]
