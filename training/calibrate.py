"""Make the learned finder's table of confidences from simulated scenes kept for that, and check it on the test scenes.

Run: python -m training.calibrate, and python -m training.calibrate --check for the check alone. NumPy and SciPy only.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize

from rewarm.anatomy.confidence import GOOD_DICE, KINDS, SURE, SURE_DICE, TABLE, confidence, kind_of
from rewarm.anatomy.learned import SIGNS, seen_limbs
from rewarm.anatomy.network import FOOT_PARTS, HAND_PARTS, PARTS, network_facts, predict
from rewarm.twin.scenes import ORDINARY
from training.data import CALIBRATION_SEED, TEST_SEED, Example, held_out_scenes
from training.evaluate import dice

Floats = NDArray[np.float64]

RIDGE = 1e-2
FEWEST = 25
"""Regions in each group of scores, at least."""
CAUTION = 1.0
"""Regions that are counted as wrong besides the real ones in a group of scores: groups are small."""


def regions_of(scene: Example) -> Iterable[tuple[str, Floats, float]]:
    """(part or "limb:foot"/"limb:hand", signs, Dice with the truth) of every region that the finder draws."""
    prediction = predict(scene.celsius)
    for whole, names in (("foot", FOOT_PARTS), ("hand", HAND_PARTS)):
        codes = [PARTS.index(name) for name in names]
        for seen in seen_limbs(prediction, whole)[0]:
            own = (scene.sides == ("left", "right").index(seen.side) + 1) & np.isin(scene.parts, codes)
            if "limb" in seen.signs:
                yield whole, seen.signs["limb"], overlap(seen.mask, own)
            for name, mask in seen.parts.items():
                if name in seen.signs and mask.any():
                    yield name, seen.signs[name], overlap(mask, own & (scene.parts == PARTS.index(name)))


def overlap(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Dice, 0 where there is no such region."""
    return dice(found, truth) if truth.any() else 0.0


def gathered(scenes: list[Example]) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Signs (n, k) and Dice (n,) by kind of region."""
    signs: dict[str, list[Floats]] = {kind: [] for kind in KINDS}
    scores: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number, scene in enumerate(scenes, start=1):
        for name, sign, score in regions_of(scene):
            signs[kind_of(name)].append(sign)
            scores[kind_of(name)].append(score)
        if number % 100 == 0:
            print(f"{number} of {len(scenes)} scenes", flush=True)
    return {k: np.array(v) for k, v in signs.items()}, {k: np.array(v) for k, v in scores.items()}


def curve(signs: Floats, right: NDArray[np.bool_]) -> dict[str, object]:
    """A logistic regression with a ridge, and the shares that were right in groups of its scores."""
    centre, scale = signs.mean(axis=0), np.maximum(signs.std(axis=0), 1e-3)
    x = (signs - centre) / scale

    def cost(p: Floats) -> tuple[float, Floats]:
        score = x @ p[:-1] + p[-1]
        chance = 1.0 / (1.0 + np.exp(-score))
        value = float(np.logaddexp(0.0, score).mean() - (score * right).mean() + RIDGE * (p[:-1] ** 2).sum())
        slope = chance - right
        return value, np.append(x.T @ slope / len(x) + 2.0 * RIDGE * p[:-1], slope.mean())

    fitted = minimize(cost, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    score = x @ fitted[:-1] + fitted[-1]
    order = np.argsort(score)
    groups = np.array_split(order, max(2, len(order) // FEWEST))
    knots = np.array([score[group].mean() for group in groups])
    shares = np.array([right[group].sum() / (len(group) + CAUTION) for group in groups])
    shares = isotonic_regression(shares, weights=[len(group) for group in groups]).x
    keep = np.concatenate(([True], np.diff(shares) > 1e-9)) | np.concatenate((np.diff(shares) > 1e-9, [True]))
    return {
        "centre": rounded(centre),
        "scale": rounded(scale),
        "weights": rounded(fitted[:-1]),
        "bias": round(float(fitted[-1]), 5),
        "knots": rounded(knots[keep]),
        "shares": rounded(shares[keep]),
    }


def rounded(values: Floats) -> list[float]:
    """Five decimals are enough."""
    return [round(float(value), 5) for value in values]


def check(scenes: list[Example]) -> None:
    """Print, for scenes that neither training nor calibration saw, what was promised and what came."""
    rows: list[tuple[str, float, float]] = []
    for scene in scenes:
        rows += [(kind_of(name), confidence(name, sign), score) for name, sign, score in regions_of(scene)]
    print("| kind | regions | sure (≥ 0.9) | with Dice ≥ 0.85 | 0.5 to 0.9 | with Dice ≥ 0.7 | mean confidence there |")
    print("|---|---|---|---|---|---|---|")
    for kind in (*KINDS, "all"):
        own = np.array([(c, d) for k, c, d in rows if kind in (k, "all")]).reshape(-1, 2)
        if not len(own):
            continue
        sure, middle = own[own[:, 0] >= SURE], own[(own[:, 0] >= 0.5) & (own[:, 0] < SURE)]
        print(
            f"| {kind} | {len(own)} | {len(sure)} | {share(sure[:, 1] >= SURE_DICE)} | {len(middle)} "
            f"| {share(middle[:, 1] >= GOOD_DICE)} | {middle[:, 0].mean() if len(middle) else float('nan'):.2f} |"
        )


def share(right: NDArray[np.bool_]) -> str:
    """A percentage, or a dash."""
    return f"{100.0 * right.mean():.1f} %" if right.size else "–"


def mixed_scenes(folder: Path, count: int, seed: int) -> list[Example]:
    """Half of them as hard as can be, half as a careful clinic would record them; none of the training's anatomy."""
    hard = held_out_scenes(folder / "data", count // 2, seed=seed)
    return hard + held_out_scenes(folder / "data", count - count // 2, seed=seed, ranges=ORDINARY)


def main() -> None:
    """Read the command line, write the table, print the check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("training-output"), help="where the scenes are kept")
    parser.add_argument("--scenes", type=int, default=1400)
    parser.add_argument("--test-scenes", type=int, default=600)
    parser.add_argument("--check", action="store_true", help="only check the table that is there")
    given = parser.parse_args()
    if not given.check:
        signs, scores = gathered(mixed_scenes(given.folder, given.scenes, CALIBRATION_SEED))
        few = [f"{kind} ({len(scores[kind])})" for kind in KINDS if len(scores[kind]) < 2 * FEWEST]
        if few:
            sys.exit(
                f"expected at least {2 * FEWEST} regions of every kind in {given.scenes} scenes; found fewer of "
                f"{', '.join(few)}. {TABLE.name} was left as it is: take more --scenes, or train longer"
            )
        curves = {
            kind: {
                "good": curve(signs[kind], scores[kind] >= GOOD_DICE),
                "sure": curve(signs[kind], scores[kind] >= SURE_DICE),
            }
            for kind in KINDS
        }
        stored = {
            "made by": "python -m training.calibrate",
            "weights": network_facts(),
            "signs": SIGNS,
            "curves": curves,
        }
        TABLE.with_suffix(".partial").write_text(json.dumps(stored, indent=1), encoding="utf-8")
        TABLE.with_suffix(".partial").replace(TABLE)
    check(mixed_scenes(given.folder, given.test_scenes, TEST_SEED))


if __name__ == "__main__":
    main()
