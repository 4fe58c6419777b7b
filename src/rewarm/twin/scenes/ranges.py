"""What is drawn at random, and from where to where: one set for training, another for the held-out test scenes.

Every pair is (low, high) of a uniform distribution, every ``*_share`` a probability. The ranges go beyond what feet and
cameras do on purpose: what a network has seen exaggerated it knows when it is mild.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

Pair = tuple[float, float]


@dataclass(frozen=True)
class Anatomy:
    """Proportions relative to the models' own (1.0), degrees, and shares."""

    breadth: Pair = (0.86, 1.20)
    heel: Pair = (0.88, 1.18)
    arch: Pair = (0.0, 1.0)
    thickness: Pair = (0.85, 1.25)
    ankle: Pair = (0.85, 1.25)
    second_toe: Pair = (0.925, 1.02)
    toe_step: Pair = (0.018, 0.060)
    toe_girth: Pair = (0.78, 1.18)
    swollen_girth: Pair = (1.15, 1.45)
    swollen_share: float = 0.12
    splay_deg: Pair = (-0.5, 5.0)
    valgus_deg: Pair = (-2.0, 10.0)
    strong_valgus_deg: Pair = (12.0, 34.0)
    strong_valgus_share: float = 0.10
    overlap_share: float = 0.04
    missing_share: float = 0.04
    stump_share: float = 0.03
    leg_girth: Pair = (0.82, 1.40)
    calf: Pair = (0.85, 1.20)
    leg_length: Pair = (0.85, 1.15)
    hand_breadth: Pair = (0.85, 1.20)
    finger_length: Pair = (0.88, 1.12)
    finger_girth: Pair = (0.85, 1.20)


@dataclass(frozen=True)
class Pose:
    """Joint angles in degrees, distances in foot lengths."""

    plantarflexion: Pair = (-15.0, 55.0)
    inversion: Pair = (-20.0, 25.0)
    outward: Pair = (-15.0, 75.0)
    abduction: Pair = (-12.0, 16.0)
    raised: Pair = (-12.0, 12.0)
    knee: Pair = (0.0, 60.0)
    bent_knee_share: float = 0.3
    separation: Pair = (0.35, 1.6)
    touching_share: float = 0.15
    crossed_share: float = 0.06
    stagger: Pair = (-0.35, 0.35)
    toe_lift: Pair = (-16.0, 30.0)
    toe_bend: Pair = (0.0, 62.0)
    finger_bend: Pair = (-4.0, 30.0)
    curled_share: float = 0.2
    curled_bend: Pair = (25.0, 70.0)
    finger_spread: Pair = (0.0, 11.0)
    thumb: Pair = (12.0, 62.0)


@dataclass(frozen=True)
class Cameras:
    """Where the camera stands and how large it shows a foot; sizes are shares of the picture's width."""

    end_elevation: Pair = (-8.0, 55.0)
    end_azimuth: Pair = (-38.0, 38.0)
    above_elevation: Pair = (50.0, 128.0)
    side_elevation: Pair = (-5.0, 65.0)
    side_azimuth: Pair = (45.0, 115.0)
    above_azimuth: Pair = (-60.0, 60.0)
    turn: Pair = (-25.0, 25.0)
    wide_turn: Pair = (-60.0, 60.0)
    wide_turn_share: float = 0.25
    upside_down_share: float = 0.08
    usual_size: Pair = (0.145, 0.46)
    large_size: Pair = (0.44, 1.1)
    large_share: float = 0.22
    distance: Pair = (4.5, 18.0)
    cut_share: float = 0.15
    whole_feet: bool = False
    """No foot is cut by the frame: the camera is aimed again, and stands back where it is too close for that."""


@dataclass(frozen=True)
class Mix:
    """Which kinds of scene are drawn; the shares are relative to their sum."""

    bed_end: float = 0.43
    bed_above: float = 0.14
    bed_side: float = 0.06
    sole: float = 0.13
    anywhere: float = 0.06
    hands: float = 0.13
    legs_only: float = 0.03
    three_feet: float = 0.02
    face: float = 0.02
    empty: float = 0.02
    bed_soles: float = 0.0
    one_foot_share: float = 0.25
    strange_hand_share: float = 0.08
    strange_skin_share: float = 0.05
    blanket_share: float = 0.35
    things_share: float = 0.20


@dataclass(frozen=True)
class Painting:
    """Temperatures in °C relative to the surroundings, and the camera's faults."""

    surroundings_c: Pair = (14.0, 31.0)
    digits_c: Pair = (-10.0, 12.0)
    near_c: Pair = (-1.0, 1.0)
    near_share: float = 0.52
    leg_c: Pair = (-3.0, 12.0)
    ankle_c: Pair = (-5.0, 10.0)
    heel_c: Pair = (-3.0, 3.0)
    part_c: Pair = (-1.5, 1.5)
    odd_toe_share: float = 0.22
    isothermal_heel_share: float = 0.25
    warm_shin_share: float = 0.18
    melting_share: float = 0.30
    two_temperatures_share: float = 0.15
    texture_c: Pair = (0.05, 1.2)
    folds_c: Pair = (0.0, 2.0)
    calm_share: float = 0.30
    object_c: Pair = (-6.0, 12.0)
    cut_out_share: float = 0.07
    burnt_in_share: float = 0.08
    netd_c: Pair = (0.02, 0.15)
    stripes_c: Pair = (0.0, 0.12)
    vignette_c: Pair = (-0.6, 0.6)
    blur_px: Pair = (0.0, 1.3)
    sensor_width_px: Pair = (80.0, 640.0)


@dataclass(frozen=True)
class Ranges:
    """All that is drawn at random."""

    anatomy: Anatomy = field(default_factory=Anatomy)
    pose: Pose = field(default_factory=Pose)
    cameras: Cameras = field(default_factory=Cameras)
    mix: Mix = field(default_factory=Mix)
    painting: Painting = field(default_factory=Painting)


TRAINING: Final = Ranges(
    mix=Mix(bed_end=0.33, bed_soles=0.16, hands=0.10),
    painting=Painting(warm_shin_share=0.27),
)
CALM: Final = replace(
    TRAINING,
    painting=Painting(
        warm_shin_share=0.27,
        texture_c=(0.03, 0.5),
        folds_c=(0.0, 1.2),
        calm_share=0.7,
        melting_share=0.2,
        cut_out_share=0.04,
        burnt_in_share=0.05,
        blur_px=(0.0, 1.0),
        sensor_width_px=(120.0, 640.0),
    ),
)
"""The training's shapes before quieter sheets and with less mottled skin: where a network learns what toes are."""
HELD_OUT: Final = Ranges(
    anatomy=Anatomy(
        breadth=(0.92, 1.26),
        heel=(0.84, 1.08),
        arch=(0.2, 0.9),
        thickness=(0.95, 1.35),
        ankle=(0.95, 1.32),
        second_toe=(0.93, 1.005),
        toe_step=(0.028, 0.064),
        toe_girth=(0.92, 1.25),
        splay_deg=(1.0, 6.5),
        valgus_deg=(2.0, 16.0),
        strong_valgus_share=0.05,
        missing_share=0.02,
        leg_girth=(0.95, 1.5),
        calf=(0.8, 1.1),
        leg_length=(0.95, 1.25),
        hand_breadth=(0.92, 1.26),
        finger_length=(0.84, 1.05),
        finger_girth=(0.92, 1.26),
    ),
    pose=Pose(
        plantarflexion=(0.0, 48.0),
        inversion=(-10.0, 32.0),
        outward=(0.0, 62.0),
        abduction=(-6.0, 20.0),
        raised=(-6.0, 18.0),
        separation=(0.5, 1.9),
        toe_lift=(-14.0, 20.0),
        toe_bend=(8.0, 52.0),
        finger_bend=(2.0, 36.0),
        finger_spread=(2.0, 13.0),
    ),
    cameras=Cameras(
        end_elevation=(5.0, 65.0),
        end_azimuth=(-28.0, 28.0),
        above_elevation=(60.0, 135.0),
        turn=(-15.0, 15.0),
        usual_size=(0.14, 0.50),
        large_share=0.15,
        distance=(3.6, 11.0),
    ),
)
ORDINARY: Final = replace(
    HELD_OUT,
    pose=replace(HELD_OUT.pose, touching_share=0.05, crossed_share=0.0),
    cameras=replace(
        HELD_OUT.cameras,
        usual_size=(0.20, 0.45),
        large_share=0.1,
        wide_turn_share=0.0,
        upside_down_share=0.0,
        cut_share=0.0,
        whole_feet=True,
    ),
    mix=Mix(
        bed_end=0.6,
        bed_above=0.2,
        bed_side=0.0,
        sole=0.2,
        anywhere=0.0,
        hands=0.0,
        legs_only=0.0,
        three_feet=0.0,
        face=0.0,
        empty=0.0,
        one_foot_share=0.1,
        strange_hand_share=0.0,
        strange_skin_share=0.0,
        blanket_share=0.1,
        things_share=0.05,
    ),
    painting=Painting(
        texture_c=(0.05, 0.4),
        folds_c=(0.0, 1.0),
        calm_share=0.8,
        melting_share=0.15,
        two_temperatures_share=0.1,
        odd_toe_share=0.15,
        cut_out_share=0.0,
        burnt_in_share=0.03,
        blur_px=(0.0, 0.8),
        sensor_width_px=(160.0, 640.0),
    ),
)
"""What a clinic that takes care would record: the held-out anatomy, whole feet, a calm sheet, toes as cold as ever."""
BARE_LEGS: Final = replace(
    ORDINARY, mix=replace(ORDINARY.mix, bed_end=0.0, bed_above=0.0, sole=0.0, bed_soles=1.0, things_share=0.2)
)
"""The same anatomy on a bed, soles towards the camera and bare legs behind them, as warm as they are or not."""
