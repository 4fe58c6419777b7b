"""Make the learned finder's table of confidences from simulated scenes kept for that, and check it on the test scenes.

Run: python -m training.calibrate, and python -m training.calibrate --check for the check alone. NumPy, SciPy and ONNX
Runtime only; it can be run again whenever the networks or what follows them change.

Regions of one scene err together (five fingers of a hand that is none), so scenes are counted, not regions: the scores
that a region is judged by come from a fit without its scene, and every group of scores holds enough scenes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
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
Whole = NDArray[np.intp]
Regions = list[tuple[str, Floats, float]]

RIDGE = 1e-2
FEWEST = 25
"""Scenes in each group of scores, at least."""
CAUTION = 1.0
"""Scenes that are counted as wrong besides the real ones in a group of scores: groups are small."""
FOLDS = 5


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


def gathered(scenes: list[Example], *, processes: int = 1) -> dict[str, tuple[Floats, Floats, Whole]]:
    """By kind of region: signs (n, k), Dice (n,), and the number of the scene (n,) that each is from."""
    rows: dict[str, list[tuple[Floats, float, int]]] = {kind: [] for kind in KINDS}
    for number, regions in enumerate(regions_of_all(scenes, processes=processes)):
        for name, sign, score in regions:
            rows[kind_of(name)].append((sign, score, number))
    return {
        kind: (np.array([row[0] for row in own]), np.array([row[1] for row in own]), np.array([row[2] for row in own]))
        for kind, own in rows.items()
    }


def regions_of_all(scenes: list[Example], *, processes: int) -> Iterable[Regions]:
    """:func:`regions_of` of each scene, in order; prints its progress."""
    if processes == 1:
        yield from (told(number, _regions(scene)) for number, scene in enumerate(scenes, start=1))
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for number, regions in enumerate(pool.map(_regions, scenes, chunksize=8), start=1):
            yield told(number, regions)


def told(number: int, regions: Regions) -> Regions:
    """The regions, every hundredth time with a line on how many scenes are done."""
    if number % 100 == 0:
        print(f"{number} scenes", flush=True)
    return regions


def _regions(scene: Example) -> Regions:
    return list(regions_of(scene))


def curve(signs: Floats, right: NDArray[np.bool_], scenes: Whole) -> dict[str, object]:
    """A logistic regression with a ridge, and the shares that were right in groups of its scores.

    The scores are of fits that did not see the region's scene; ``scenes`` (n,) are the scenes' numbers.
    """
    centre, scale = signs.mean(axis=0), np.maximum(signs.std(axis=0), 1e-3)
    x = (signs - centre) / scale
    fold = np.unique(scenes, return_inverse=True)[1] % FOLDS
    score = np.zeros(len(x))
    for out in range(FOLDS):
        own = fold == out
        if own.any() and not own.all():
            score[own] = x[own] @ (fit := logistic(x[~own], right[~own]))[:-1] + fit[-1]
    groups = groups_of(score, scenes)
    knots = np.array([score[group].mean() for group in groups])
    counted = np.array([len(np.unique(scenes[group])) for group in groups])
    shares = np.array([right[group].mean() for group in groups]) * counted / (counted + CAUTION)
    shares = isotonic_regression(shares, weights=[len(group) for group in groups]).x
    keep = np.concatenate(([True], np.diff(shares) > 1e-9)) | np.concatenate((np.diff(shares) > 1e-9, [True]))
    weights = logistic(x, right)
    return {
        "centre": rounded(centre),
        "scale": rounded(scale),
        "weights": rounded(weights[:-1]),
        "bias": round(float(weights[-1]), 5),
        "knots": rounded(knots[keep]),
        "shares": rounded(shares[keep]),
    }


def logistic(x: Floats, right: NDArray[np.bool_]) -> Floats:
    """Weights (k,) and, last, the bias of a logistic regression with a ridge."""

    def cost(p: Floats) -> tuple[float, Floats]:
        score = x @ p[:-1] + p[-1]
        chance = 1.0 / (1.0 + np.exp(-score))
        value = float(np.logaddexp(0.0, score).mean() - (score * right).mean() + RIDGE * (p[:-1] ** 2).sum())
        slope = chance - right
        return value, np.append(x.T @ slope / len(x) + 2.0 * RIDGE * p[:-1], slope.mean())

    return np.asarray(minimize(cost, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x)


def groups_of(score: Floats, scenes: Whole) -> list[Whole]:
    """Places of regions with like scores, low scores first; every group is of :data:`FEWEST` scenes or more."""
    groups: list[list[int]] = [[]]
    seen: set[int] = set()
    for place in np.argsort(-score, kind="stable").tolist():
        if len(seen) >= FEWEST:
            groups.append([])
            seen = set()
        groups[-1].append(place)
        seen.add(int(scenes[place]))
    if len(seen) < FEWEST and len(groups) > 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return [np.array(group) for group in groups[::-1]]


def rounded(values: Floats) -> list[float]:
    """Five decimals are enough."""
    return [round(float(value), 5) for value in values]


def check(scenes: list[Example], *, processes: int = 1) -> None:
    """Print, for scenes that neither training nor calibration saw, what was promised and what came."""
    rows: list[tuple[str, float, float]] = []
    for regions in regions_of_all(scenes, processes=processes):
        rows += [(kind_of(name), confidence(name, sign), score) for name, sign, score in regions]
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
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="only check the table that is there")
    given = parser.parse_args()
    if not given.check:
        found = gathered(mixed_scenes(given.folder, given.scenes, CALIBRATION_SEED), processes=max(1, given.processes))
        from_scenes = {kind: len(np.unique(scenes)) for kind, (_, _, scenes) in found.items()}
        few = [f"{kind} ({count})" for kind, count in from_scenes.items() if count < 2 * FEWEST]
        if few:
            sys.exit(
                f"expected regions of every kind in at least {2 * FEWEST} of {given.scenes} scenes; found fewer with "
                f"{', '.join(few)}. {TABLE.name} was left as it is: take more --scenes, or train longer"
            )
        curves = {
            kind: {
                "good": curve(signs, scores >= GOOD_DICE, scenes),
                "sure": curve(signs, scores >= SURE_DICE, scenes),
            }
            for kind, (signs, scores, scenes) in found.items()
        }
        stored = {
            "made by": "python -m training.calibrate",
            "weights": network_facts(),
            "scenes": from_scenes,
            "signs": SIGNS,
            "curves": curves,
        }
        TABLE.with_suffix(".partial").write_text(json.dumps(stored, indent=1), encoding="utf-8")
        TABLE.with_suffix(".partial").replace(TABLE)
    check(mixed_scenes(given.folder, given.test_scenes, TEST_SEED), processes=max(1, given.processes))


if __name__ == "__main__":
    main()
