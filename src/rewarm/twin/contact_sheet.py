"""A picture of many simulated soles, to judge by eye: ``python -m rewarm.twin.contact_sheet PICTURE.png``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rewarm.regions import SIDES, SOLE_REGIONS
from rewarm.twin.camera import SimulatedCamera, View, non_uniformity, record
from rewarm.twin.phantom import DrawnSoles, Map, SolePose, draw_soles, random_sole
from rewarm.twin.skin import cold_temperatures, healthy_temperatures, paint_scene, paint_sole, random_texture, sheet

_ROOM_C: Final = 22.5


def draw_contact_sheet(path: Path | str, *, seed: int = 1, pairs: int = 8) -> Path:
    """Write a PNG of ``pairs`` simulated pairs of soles, healthy in the upper half and with cold toes in the lower.

    Each is shown as recorded (noise, blur, errors and all), on one common scale, with its true regions outlined.
    """
    rng = np.random.default_rng(seed)
    rows, columns = -(-pairs // 4), 4
    figure = Figure(figsize=(2.4 * columns, 1.95 * rows + 0.5), dpi=68, layout="constrained")
    for i, axes in enumerate(figure.subplots(rows, columns, squeeze=False).ravel()):
        axes.set_axis_off()
        if i < pairs:
            drawn, seen_c = _simulate(rng, healthy=i < pairs / 2)
            shown = axes.imshow(seen_c, cmap="inferno", vmin=21, vmax=31, extent=(0, 320, 240, 0))
            _outline(axes, drawn)
    figure.colorbar(shown, ax=figure.axes, location="bottom", aspect=60, shrink=0.5, label="°C")
    figure.savefig(path, pil_kwargs={"optimize": True})
    return Path(path)


def _simulate(rng: np.random.Generator, *, healthy: bool) -> tuple[DrawnSoles, Map]:
    camera = SimulatedCamera()
    sole = random_sole(rng)
    drawn = draw_soles(
        {
            "left": (sole, SolePose(203 + rng.normal(0, 4), 217, rng.uniform(2, 9))),
            "right": (sole, SolePose(117 + rng.normal(0, 4), 217, -rng.uniform(2, 9))),
        },
        shape=camera.shape,
    )
    temperatures = healthy_temperatures(rng) if healthy else cold_temperatures(rng, ambient_c=_ROOM_C)
    skin = {
        side: paint_sole(drawn.soles[side], temperatures, texture=random_texture(rng), floor_c=_ROOM_C)
        for side in SIDES
    }
    feet = np.maximum(drawn.soles["left"].foot, drawn.soles["right"].foot)
    scene = paint_scene(drawn, skin, sheet(rng, shape=camera.shape, ambient_c=_ROOM_C, imprint=feet))
    recording = record(scene, camera, View(), rng, non_uniformity_c=non_uniformity(rng, shape=camera.shape))
    return drawn, recording.seen_c + recording.error_c


def _outline(axes: Axes, drawn: DrawnSoles) -> None:
    for item in drawn.regions.items:
        if item.region in SOLE_REGIONS:
            x, y = np.arange(item.mask.shape[1]) + 0.5, np.arange(item.mask.shape[0]) + 0.5
            axes.contour(x, y, item.mask, levels=[0.5], colors="white", linewidths=0.4)


if __name__ == "__main__":
    draw_contact_sheet(sys.argv[1])
