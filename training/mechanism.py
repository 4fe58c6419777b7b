"""Trains the classifier of mechanisms on simulated patients, and writes src/rewarm/effects/mechanism.json.

Run: python -m training.mechanism [--people 1500]. Draws the patients (minutes), or takes stored ones
(--patients FILE.npz ... --tune FILE.npz). The patients' vessels vary around the twin's by 30 % (WIDE), because the
twin's figures are chosen. Seeds: 101 to 103 to train, 202 to sharpen and to see what each protocol tells apart; the
tests' (911 and 912, benchmarks/mechanism.py) are never used here.
"""

from __future__ import annotations

import argparse
import json
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from rewarm.effects.mechanism import (
    FEATURES,
    MECHANISMS,
    MechanismModel,
    features_of,
    log_likelihoods,
    model_from_json,
    protocols,
)
from training.mechanism_patients import WIDE, Patients, draw_patients, joined, load_patients

Floats = NDArray[np.float64]

OUT: Final = Path("src/rewarm/effects/mechanism.json")
COMMAND: Final = "python -m training.mechanism"
TRAIN_SEEDS: Final = (101, 102, 103)
TUNE_SEED: Final = 202
TUNE_PEOPLE: Final = 400
PARTS: Final = 3
ROUNDS: Final = 40
SHRINK: Final = 0.1
"""Share by which a part's correlations are pulled towards none: 25 features from a few hundred patients."""

CAMERA_SD_C: Final = 0.5
"""What one session's temperatures are off, all alike."""
REGION_SD_C: Final = 0.1
"""What one region's mean is off for itself."""
ROOM_READ_SD_C: Final = 0.3
GRADIENT_SD: Final = 0.03
RECOVERY_SD: Final = 2.0


def true_features(patients: Patients) -> Floats:
    """(people, features) in the order of FEATURES, without errors."""

    def change(values: Floats) -> Floats:
        return np.asarray(values[:, 1, 0] - values[:, 0, 0])

    def beside(values: Floats) -> Floats:
        return np.asarray(change(values) - (values[:, 1, 1] - values[:, 0, 1]))

    p = patients
    room = p.room_c[:, 1] - p.room_c[:, 0]
    found = {
        "warm_change": change(p.warm_c),
        "warm_dorsal_change": change(p.warm_c - p.warm_dorsum_c),
        "warm_beside_control": beside(p.warm_c),
        "warm_before": p.warm_c[:, 0, 0] - p.room_c[:, 0, 0],
        "warm_room_change": room[:, 0],
        "cool_change": change(p.cool_c),
        "cool_dorsal_change": change(p.cool_c - p.cool_dorsum_c),
        "cool_beside_control": beside(p.cool_c),
        "cool_before": p.cool_c[:, 0, 0] - p.room_c[:, 0, 1],
        "cool_room_change": room[:, 1],
        "usual_change": change(p.usual_c),
        "usual_dorsal_change": change(p.usual_c - p.usual_dorsum_c),
        "usual_beside_control": beside(p.usual_c),
        "usual_before": p.usual_c[:, 0, 0] - p.room_c[:, 0, 2],
        "usual_room": p.room_c[:, 0, 2],
        "usual_room_change": room[:, 2],
        "t0_change": change(p.t0),
        "t0_beside_control": beside(p.t0),
        "gradient_2min_change": change(p.gradient_2min),
        "gradient_2min_beside_control": beside(p.gradient_2min),
        "max_gradient_change": change(p.max_gradient),
        "max_gradient_beside_control": beside(p.max_gradient),
        "recovery_change": change(p.recovery_10min),
        "recovery_beside_control": beside(p.recovery_10min),
        "outdoor_change": p.outdoor_c[:, 1] - p.outdoor_c[:, 0],
    }
    return np.stack([found[name] for name in FEATURES], axis=1)


def usual_u() -> Floats:
    """Standard uncertainty of each feature with a usual camera and thermometer, (features,)."""
    region, camera = REGION_SD_C * np.sqrt(2), CAMERA_SD_C * np.sqrt(2)
    by_end = {
        "_room_change": ROOM_READ_SD_C * np.sqrt(2),
        "_dorsal_change": region * np.sqrt(2),
        "_before": np.hypot(CAMERA_SD_C, ROOM_READ_SD_C),
        "usual_room": ROOM_READ_SD_C,
        "outdoor_change": 1.0,
    }
    found = []
    for name in FEATURES:
        twice = np.sqrt(2) if name.endswith("_beside_control") else 1.0
        if name.startswith(("gradient", "max_gradient")):
            u = GRADIENT_SD * np.sqrt(2) * twice
        elif name.startswith("recovery"):
            u = RECOVERY_SD * np.sqrt(2) * twice
        elif name.endswith("_beside_control"):
            u = region * twice
        else:
            u = next((v for end, v in by_end.items() if name.endswith(end)), float(np.hypot(camera, region)))
        found.append(float(u))
    return np.array(found)


def measured(patients: Patients, seed: int) -> Floats:
    """Features with a camera's errors: what all pictures of a session share, and each feature's own."""
    rng = np.random.default_rng(seed)
    true, u = true_features(patients), usual_u()
    session = CAMERA_SD_C * rng.normal(size=(len(true), 2))
    shared = np.zeros_like(true)
    own = np.array(u)
    for i, name in enumerate(FEATURES):
        if name in ("warm_change", "cool_change", "usual_change", "t0_change"):
            shared[:, i] = session[:, 1] - session[:, 0]
            own[i] = REGION_SD_C * np.sqrt(2)
        elif name.endswith("_before"):
            shared[:, i] = session[:, 0]
            own[i] = ROOM_READ_SD_C
    return np.asarray(true + shared + own * rng.normal(size=true.shape))


def mixture(values: Floats, seed: int) -> tuple[Floats, Floats, Floats]:
    """Weights, means and covariances of PARTS normal distributions, by expectation and maximisation."""
    scale, centre = values.std(axis=0) + 1e-9, values.mean(axis=0)
    z = (values - centre) / scale
    share = _first_shares(z, np.random.default_rng(seed))
    for _ in range(ROUNDS):
        weights = share.mean(axis=0)
        means = (share.T @ z) / share.sum(axis=0)[:, None]
        covariances = [_covariance(z - mean, own) for mean, own in zip(means, share.T, strict=True)]
        logs = np.stack(
            [
                np.log(weight)
                - 0.5 * np.einsum("ij,ij->i", (z - mean) @ np.linalg.inv(spread), z - mean)
                - 0.5 * np.linalg.slogdet(spread)[1]
                for weight, mean, spread in zip(weights, means, covariances, strict=True)
            ],
            axis=1,
        )
        share = np.exp(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True))
    back = np.stack([c * np.outer(scale, scale) for c in covariances])
    return share.mean(axis=0), means * scale + centre, back


def _first_shares(z: Floats, rng: np.random.Generator) -> Floats:
    """To which part each patient belongs at first, (people, PARTS): nearest of so many means, a little blurred."""
    middles = z[rng.choice(len(z), PARTS, replace=False)]
    for _ in range(20):
        nearest = ((z[:, None] - middles) ** 2).sum(axis=-1).argmin(axis=1)
        middles = np.stack([z[nearest == k].mean(axis=0) if (nearest == k).any() else z[k] for k in range(PARTS)])
    return np.asarray(0.9 * np.eye(PARTS)[nearest] + 0.1 / PARTS)


def _covariance(off: Floats, share: Floats) -> Floats:
    spread = (share[:, None] * off).T @ off / share.sum()
    return np.asarray((1 - SHRINK) * spread + SHRINK * np.diag(np.diag(spread)) + 1e-3 * np.eye(len(spread)))


def stored_model(patients: Patients, sharpness: dict[str, float], told: dict[str, dict[str, float]]) -> dict[str, Any]:
    """What mechanism.json holds, figures to six digits."""
    values = true_features(patients)
    upper = np.triu_indices(values.shape[1])
    parts = {cause: mixture(values[patients.mechanism == i], seed=i) for i, cause in enumerate(MECHANISMS)}

    def short(array: Floats) -> Any:
        return [float(f"{x:.6g}") for x in array] if array.ndim == 1 else [short(row) for row in array]

    return {
        "command": COMMAND,
        "patients": len(patients.mechanism),
        "train_seeds": list(TRAIN_SEEDS),
        "tune_seed": TUNE_SEED,
        "mechanisms": list(MECHANISMS),
        "features": list(FEATURES),
        "weights": {cause: short(w) for cause, (w, _, _) in parts.items()},
        "means": {cause: short(m) for cause, (_, m, _) in parts.items()},
        "covariances": {cause: [short(one[upper]) for one in c] for cause, (_, _, c) in parts.items()},
        "sharpness": sharpness,
        "told_apart": told,
    }


def evidence(model: MechanismModel, values: Floats, protocol: tuple[str, ...]) -> Floats:
    """Log-likelihoods (people, causes) of what a protocol gives."""
    names = list(features_of(protocol))
    places = [list(FEATURES).index(name) for name in names]
    return log_likelihoods(model, names, values[:, places], usual_u()[None, places])


def sharpened(logs: Floats, sharpness: float) -> Floats:
    """Probabilities (people, causes), all causes alike beforehand."""
    logs = sharpness * logs
    return np.asarray(np.exp(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True)))


def posteriors(model: MechanismModel, values: Floats, protocol: tuple[str, ...], sharpness: float) -> Floats:
    """Probabilities (people, causes) from what a protocol gives, all causes alike beforehand."""
    return sharpened(evidence(model, values, protocol), sharpness)


def tuned(
    model: MechanismModel, values: Floats, truth: NDArray[np.int64], protocol: tuple[str, ...]
) -> tuple[float, dict[str, float]]:
    """The sharpness that makes the truth most probable, and how often the right one of each two causes is found."""
    rows = np.arange(len(truth))
    logs = evidence(model, values, protocol)

    def surprise(log_power: float) -> float:
        found = sharpened(logs, float(np.exp(log_power)))
        return -float(np.log(np.maximum(found[rows, truth], 1e-12)).mean())

    power = float(np.exp(minimize_scalar(surprise, bounds=(-2.5, 1.0), method="bounded").x))
    found = sharpened(logs, power)
    told = {}
    for a, b in combinations(range(len(MECHANISMS)), 2):
        right = np.concatenate(
            [found[truth == a, a] > found[truth == a, b], found[truth == b, b] > found[truth == b, a]]
        )
        told[f"{MECHANISMS[a]}|{MECHANISMS[b]}"] = round(float(right.mean()), 3)
    return round(power, 3), told


def main() -> None:
    """Train, tune, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1500)
    parser.add_argument("--patients", type=Path, nargs="*", default=[])
    parser.add_argument("--tune", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=OUT)
    given = parser.parse_args()
    train = joined(
        [load_patients(path) for path in given.patients]
        or [draw_patients(seed, given.people // len(TRAIN_SEEDS), physiology=WIDE) for seed in TRAIN_SEEDS]
    )
    tune = load_patients(given.tune) if given.tune else draw_patients(TUNE_SEED, TUNE_PEOPLE, physiology=WIDE)
    stored = stored_model(train, {}, {})
    model = model_from_json(json.dumps(stored))
    values = measured(tune, TUNE_SEED)
    for protocol in protocols():
        power, told = tuned(model, values, tune.mechanism, protocol)
        stored["sharpness"]["+".join(protocol)] = power
        stored["told_apart"]["+".join(protocol)] = told
        print(f"{'+'.join(protocol):30s} sharpness {power:.2f}, least told apart {min(told, key=lambda k: told[k])} "
              f"{min(told.values()):.2f}")  # fmt: skip
    given.output.write_text(json.dumps(stored, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
