"""Figures of an exported network on simulated scenes whose anatomy, poses and cameras training never showed.

Run: python -m training.evaluate [--weights FILE] [--scenes 300]. It runs the package's own run time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.network import FOOT_PARTS, LANDMARKS, PARTS, WEIGHTS, Peak, Prediction, predict
from rewarm.twin.scenes import BARE_LEGS, HELD_OUT, ORDINARY
from training.data import TEST_SEED, Example, held_out_scenes

Predict = Callable[[NDArray[np.float32]], Prediction]

SMALLEST_PX = {"foot": 100, "part": 20}
"""Truth smaller than this is not counted: a sliver at the picture's edge."""

NEAR_PX = 6.0
"""A landmark's peak within this distance, in pixels of the network's picture, has found it."""


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """2 |A ∩ B| / (|A| + |B|)."""
    return 2.0 * float((one & other).sum()) / float(one.sum() + other.sum())


def evaluate(ask: Predict, scenes: list[Example]) -> dict[str, float]:
    """Figures by name: mean Dice over the scenes in which a part is in view; shares of sides and landmarks right."""
    scores: dict[str, list[float]] = {name: [] for name in ("foot", *PARTS)}
    false_foot: list[bool] = []
    sides: list[bool] = []
    errors: list[float] = []
    for scene in scenes:
        answer = ask(scene.celsius)
        is_foot = np.isin(scene.parts, [PARTS.index(name) for name in FOOT_PARTS])
        found = answer.foot > 0.5
        if is_foot.sum() >= SMALLEST_PX["foot"]:
            scores["foot"].append(dice(found, is_foot))
        elif not is_foot.any():
            false_foot.append(bool(found.sum() >= SMALLEST_PX["foot"]))
        for code, name in enumerate(PARTS):
            truth = scene.parts == code
            if truth.sum() >= SMALLEST_PX["part"]:
                scores[name].append(dice(answer.codes == code, truth))
        for side in (1, 2):
            truth = scene.sides == side
            if truth.sum() >= SMALLEST_PX["foot"]:
                means = [float(answer.sides[other][truth].mean()) for other in (1, 2)]
                sides.append(means[side - 1] > means[2 - side])
        errors.extend(_landmark_errors(answer.peaks, scene.points))
    figures = {f"dice_{name}": float(np.mean(values)) for name, values in scores.items() if values}
    if scores["foot"]:
        figures["dice_foot_median"] = float(np.median(scores["foot"]))
        figures["dice_foot_tenth_percentile"] = float(np.percentile(scores["foot"], 10))
        figures["scenes_with_foot"] = len(scores["foot"])
    if false_foot:
        figures["foot_where_none_is"] = float(np.mean(false_foot))
    if sides:
        figures["side_right"] = float(np.mean(sides))
    if errors:
        near = [error for error in errors if error <= NEAR_PX]
        figures["landmark_found"] = len(near) / len(errors)
        if near:
            figures["landmark_error_px_median_where_found"] = float(np.median(near))
    return figures


def one_pixel_off(scenes: list[Example]) -> dict[str, float]:
    """Mean Dice of each part, drawn as it is but one pixel too low: what the size of parts alone makes of an error."""
    scores: dict[str, list[float]] = {name: [] for name in PARTS[1:]}
    for scene in scenes:
        for code, name in enumerate(PARTS[1:], start=1):
            truth = scene.parts == code
            if truth.sum() >= SMALLEST_PX["part"]:
                scores[name].append(dice(np.roll(truth, 1, axis=0), truth))
    return {f"dice_{name}_one_pixel_off": float(np.mean(values)) for name, values in scores.items() if values}


def _landmark_errors(peaks: tuple[Peak, ...], points: NDArray[np.float32]) -> list[float]:
    """Distance of each visible landmark to the nearest peak of its name; infinite where there is none."""
    errors = []
    for limb in points:
        for name, (x, y, visible) in zip(LANDMARKS, limb, strict=True):
            if visible > 0.0:
                near = [float(np.hypot(peak.x - x, peak.y - y)) for peak in peaks if peak.name == name]
                errors.append(min(near, default=np.inf))
    return errors


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--folder", type=Path, default=Path("training-output"), help="where the test scenes are kept")
    parser.add_argument("--scenes", type=int, default=300)
    easier = parser.add_mutually_exclusive_group()
    easier.add_argument("--ordinary", action="store_true", help="scenes as a careful clinic would record them")
    easier.add_argument("--bare-legs", action="store_true", help="soles on a bed, bare legs behind them")
    parser.add_argument("--one-pixel-off", action="store_true", help="figures of the truth itself, moved by one pixel")
    given = parser.parse_args()
    ranges = ORDINARY if given.ordinary else BARE_LEGS if given.bare_legs else HELD_OUT
    scenes = held_out_scenes(given.folder / "data", given.scenes, seed=TEST_SEED, ranges=ranges)
    if given.one_pixel_off:
        figures = one_pixel_off(scenes)
    else:
        figures = evaluate(lambda celsius: predict(celsius, weights=given.weights), scenes)
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}, indent=2))


if __name__ == "__main__":
    main()
