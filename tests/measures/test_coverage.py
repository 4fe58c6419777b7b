"""Do 95 % intervals hold the truth in 95 % of 2,000 simulated cases? The camera is written apart from the estimator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from rewarm.measures import (
    apply_reference,
    combined_parts,
    expanded_u_c,
    reference_offset,
    region_parts,
    smallest_detectable_change_c,
    u_change_c,
    u_difference_c,
)
from rewarm.thermogram import CameraIdentity, ObjectParameters, Provenance, make_thermogram

CASES = 2000

# The camera: it computes what a detector would see, spoils it, and turns it back into temperatures with the parameters
# it was set to. It knows nothing of parts, scopes or budgets.
SHAPE = (40, 96)
RADIUS_PX = 9.0
CENTRES = {"left": (18.0, 20.0), "right": (58.0, 21.0)}
BLACK_BODY_BOX = (82, 10, 92, 22)
ROOM_C = 23.0
NETD_MK = 80.0
PLANCK_B = 1430.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shot:
    """What was really there, and what the camera and the person who drew the outlines made of it."""

    truth_c: dict[str, float]
    picture_c: Floats
    drawn: dict[str, NDArray[np.bool_]]


def radiance(temperature_c: Floats | float) -> Floats:
    return np.asarray(1.0 / (np.exp(PLANCK_B / (np.asarray(temperature_c) + 273.15)) - 1.0))


def temperature_of(seen: Floats) -> Floats:
    return PLANCK_B / np.log(1.0 / seen + 1.0) - 273.15


def take(rng: np.random.Generator, *, black_body_c: float = 30.0) -> Shot:
    """One visit: another day, another offset, another outline."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    scene = np.full(SHAPE, ROOM_C)
    truth: dict[str, float] = {}
    drawn: dict[str, NDArray[np.bool_]] = {}
    for side, (cx, cy) in CENTRES.items():
        distance = np.hypot(x - cx, y - cy)
        warm_c = rng.uniform(25.0, 33.0)
        scene += (warm_c - ROOM_C - 0.004 * distance**2) / (1 + np.exp((distance - RADIUS_PX - 1.5) / 0.8))
        truth[side] = float(scene[distance <= RADIUS_PX].mean())
        drawn[side] = distance <= RADIUS_PX + rng.uniform(-0.5, 0.5)
    surroundings_c = ROOM_C + rng.uniform(-2.0, 2.0)
    emissivity = rng.uniform(0.97, 0.99)
    seen = emissivity * radiance(scene) + (1 - emissivity) * radiance(surroundings_c)
    picture = temperature_of((seen - 0.02 * radiance(ROOM_C)) / 0.98)
    x0, y0, x1, y1 = BLACK_BODY_BOX
    picture[y0:y1, x0:x1] = black_body_c + rng.uniform(-0.3, 0.3)
    for _ in range(2):  # shading of 1 °C from end to end, in waves of a third to two thirds of the picture
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        wave = 2 * np.pi / rng.uniform(30.0, 60.0)
        picture += 0.25 * np.cos(wave * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    picture += rng.uniform(-2.0, 2.0) + rng.uniform(-0.5, 0.5)
    picture += rng.normal(0, NETD_MK / 1000.0, SHAPE)
    return Shot(truth, picture, drawn)


def as_thermogram(shot: Shot):
    return make_thermogram(
        shot.picture_c,
        provenance=Provenance("simulated", "", "test", "0"),
        camera=CameraIdentity(accuracy_c=2.0, netd_mk=NETD_MK),
        parameters=ObjectParameters(emissivity=0.98, reflected_c=ROOM_C),
    )


def estimate(thermogram, shot: Shot):
    means = {side: float(thermogram["temperature"].to_numpy()[mask].mean()) for side, mask in shot.drawn.items()}
    return means, {side: region_parts(thermogram, mask) for side, mask in shot.drawn.items()}


def one_case(rng: np.random.Generator) -> dict[str, bool]:
    """Two visits; whether each interval holds its truth."""
    shots = [take(rng), take(rng)]
    pictures = [as_thermogram(shot) for shot in shots]
    (before, parts_before), (after, parts_after) = (estimate(*pair) for pair in zip(pictures, shots, strict=True))
    truth_before, truth_after = (shot.truth_c for shot in shots)

    def within(value: float, truth: float, half_width: float) -> bool:
        return abs(value - truth) <= half_width

    held = {
        "region mean": within(
            before["left"], truth_before["left"], expanded_u_c(combined_parts([(1, parts_before["left"])]))
        ),
        "left–right difference": within(
            before["left"] - before["right"],
            truth_before["left"] - truth_before["right"],
            1.96 * u_difference_c(parts_before["left"], parts_before["right"]),
        ),
        "change": within(
            after["left"] - before["left"],
            truth_after["left"] - truth_before["left"],
            smallest_detectable_change_c(u_change_c(parts_before["left"], parts_after["left"])),
        ),
    }
    inside = [combined_parts([(1.0, parts["left"]), (-1.0, parts["right"])]) for parts in (parts_before, parts_after)]
    held["change of a difference"] = within(
        (after["left"] - after["right"]) - (before["left"] - before["right"]),
        (truth_after["left"] - truth_after["right"]) - (truth_before["left"] - truth_before["right"]),
        smallest_detectable_change_c(u_change_c(*inside)),
    )
    corrected = [
        apply_reference(scan, reference_offset(scan, reference_c=30.0, reference_box=BLACK_BODY_BOX))
        for scan in pictures
    ]
    (before, parts_before), (after, parts_after) = (estimate(*pair) for pair in zip(corrected, shots, strict=True))
    held["change with reference"] = within(
        after["left"] - before["left"],
        truth_after["left"] - truth_before["left"],
        smallest_detectable_change_c(u_change_c(parts_before["left"], parts_after["left"])),
    )
    held["region mean with reference"] = within(
        before["left"], truth_before["left"], expanded_u_c(combined_parts([(1, parts_before["left"])]))
    )
    return held


@pytest.fixture(scope="module")
def coverage() -> pd.Series:
    rng = np.random.default_rng(20240229)
    return pd.DataFrame([one_case(rng) for _ in range(CASES)]).mean()


@pytest.mark.parametrize(
    "quantity",
    [
        "region mean",
        "left–right difference",
        "change",
        "change of a difference",
        "change with reference",
        "region mean with reference",
    ],
)
def test_95_percent_intervals_hold_the_truth_in_93_to_97_percent(coverage, quantity):
    assert 0.93 <= coverage[quantity] <= 0.97
