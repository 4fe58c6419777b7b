"""Recordings of both soles that warm again as closed forms say, every toe by its own exponential."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.cameras.store import write_store
from rewarm.regions import SIDES
from rewarm.thermogram import Provenance, make_thermogram
from rewarm.twin.phantom import SolePose, SoleShape, draw_soles
from rewarm.twin.skin import SoleTemperatures, paint_scene, paint_sole

SHAPE = (120, 160)
ROOM_C = 19.0
LOWEST_C = 15.0
REST_C = 29.0
FACTORS = (0.8, 1.0, 1.1, 1.2, 1.3)


def toe_c(time_s: NDArray[np.float64], tau_s: float, number: int, side: str) -> NDArray[np.float64]:
    """The temperature of toe ``number`` (1 … 5) of a side at each time, °C."""
    own = tau_s * FACTORS[number - 1] * (1.15 if side == "right" else 1.0)
    return REST_C - (REST_C - LOWEST_C) * np.exp(-time_s / own)


def half_s(tau_s: float, number: int, side: str) -> float:
    """When that toe has regained half of what it lost."""
    return tau_s * FACTORS[number - 1] * (1.15 if side == "right" else 1.0) * float(np.log(2.0))


@cache
def unit_pictures() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """What a picture is the sum of: the room (y, x), the core per °C (y, x), each toe per °C (10, y, x).

    Painting is linear in the temperatures, so that a frame need not be painted again.
    """
    poses = {"left": SolePose(105.0, 110.0, 0.0), "right": SolePose(55.0, 110.0, 0.0)}
    drawn = draw_soles({side: (SoleShape(), pose) for side, pose in poses.items()}, shape=SHAPE, mm_per_px=2.5)

    def painted(core_c: float, toes: NDArray[np.float64]) -> NDArray[np.float64]:
        layers = {}
        for i, side in enumerate(SIDES):
            toe = tuple(float(value) for value in toes[5 * i : 5 * i + 5])
            skin = SoleTemperatures(
                arch_c=core_c, ball_c=core_c - 1.0, heel_c=core_c - 1.5, toe_c=toe, tip_gradient_c=0.0
            )
            layers[side] = paint_sole(drawn.soles[side], skin)
        return paint_scene(drawn, layers, np.full(SHAPE, ROOM_C, dtype=np.float32)).astype(np.float64)

    nothing = painted(0.0, np.zeros(10))
    core = painted(10.0, np.zeros(10)) / 10.0 - nothing / 10.0
    toes = np.array([(painted(0.0, 10.0 * row) - nothing) / 10.0 for row in np.eye(10)])
    return nothing, core, toes


def frame_c(toes_c: NDArray[np.float64], core_c: float, shift_px: float = 0.0) -> NDArray[np.float32]:
    """One picture (y, x); ``toes_c`` (10,) has the left foot's toes, then the right one's."""
    nothing, core, toes = unit_pictures()
    picture = nothing + core_c * core + np.tensordot(toes_c, toes, axes=1)
    if shift_px:
        move = np.array([[1.0, 0.0, shift_px], [0.0, 1.0, 0.0]])
        picture = cv2.warpAffine(picture, move, SHAPE[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return picture.astype(np.float32)


def challenge_frames(time_s: NDArray[np.float64], tau_s: float, *, sway_px: float = 0.0) -> NDArray[np.float32]:
    """(times, y, x), °C; ``sway_px`` moves both soles to and fro across the picture."""
    frames = []
    for i, now_s in enumerate(time_s):
        toes_c = np.array([float(toe_c(np.array(now_s), tau_s, n, side)) for side in SIDES for n in range(1, 6)])
        core_c = 30.0 - 6.0 * float(np.exp(-now_s / (0.5 * tau_s)))
        frames.append(frame_c(toes_c, core_c, sway_px * float(np.sin(0.35 * i))))
    return np.array(frames, dtype=np.float32)


def rest_frame() -> NDArray[np.float32]:
    """Both soles before the immersion: every toe at rest."""
    return frame_c(np.full(10, REST_C), 30.0)


def write_recording(
    path: Path, time_s: NDArray[np.float64], frames: NDArray[np.float32], *, noise_c: float = 0.05, seed: int = 3
) -> None:
    """Write frames as a recording whose clock starts at zero."""
    noise = np.random.default_rng(seed).normal(0.0, noise_c, frames.shape)
    made = make_thermogram(
        (frames + noise).astype(np.float32),
        provenance=Provenance("r", "0" * 64, "test", "0"),
        time_s=time_s - time_s[0],
    )
    write_store(made, path)
