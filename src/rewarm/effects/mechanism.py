"""Why are the toes warmer? The probability of each cause, from the recordings that exist before and after.

What is told apart (:data:`MECHANISMS`):

``nerve_block``
    less sympathetic drive reaches the vessels: warmer in a cool room, hardly so in a warm one, rewarming faster after
    cold
``direct_dilation``
    vessels more open whatever the nerves ask: warmer in both rooms
``lost_sweating``
    dry skin, warmer without any more blood, most where it is warm
``environment_only``
    a warmer room or season: the untreated foot is warmer as well
``none``
    nothing but chance, and that people enrol when they are worse than usual

Toxin stops sweating too: the first two hold patients with and without that. It is a classifier by simulation: features
of simulated patients whose cause is known (``training/mechanism_patients.py``) make a mixture of normal distributions
for each cause (``training/mechanism.py``, which writes mechanism.json). A feature that was not recorded is left out of
the mixtures exactly; a feature's uncertainty is added to their covariances. So the answer rests on the simulated
physiology (docs/physiology.md) and on nothing else: it says which of these causes is most like what was seen, *if* it
was one of these. docs/mechanism.md holds how often it is right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import combinations
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError

Floats = NDArray[np.float64]

MECHANISMS: Final = ("nerve_block", "direct_dilation", "lost_sweating", "environment_only", "none")

RECORDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "warm": "feet at rest in a warm room (about 27 °C), before and after",
        "cool": "feet at rest in a cool room (about 20 °C), before and after",
        "usual": "feet at rest in a usual room (about 23 °C), before and after",
        "challenge": "a cold challenge in a usual room (15 °C for 60 s, then 10 min), before and after",
        "control": "an untreated foot in the same pictures",
    }
)
"""What a protocol may hold; the words tell a reader what to record. The baseline of a challenge is rest in a usual
room."""

FEATURES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "warm_change": ("delta_degC", ("warm",)),
        "warm_dorsal_change": ("delta_degC", ("warm",)),
        "warm_beside_control": ("delta_degC", ("warm", "control")),
        "warm_before": ("delta_degC", ("warm",)),
        "warm_room_change": ("delta_degC", ("warm",)),
        "cool_change": ("delta_degC", ("cool",)),
        "cool_dorsal_change": ("delta_degC", ("cool",)),
        "cool_beside_control": ("delta_degC", ("cool", "control")),
        "cool_before": ("delta_degC", ("cool",)),
        "cool_room_change": ("delta_degC", ("cool",)),
        "usual_change": ("delta_degC", ("usual",)),
        "usual_dorsal_change": ("delta_degC", ("usual",)),
        "usual_beside_control": ("delta_degC", ("usual", "control")),
        "usual_before": ("delta_degC", ("usual",)),
        "usual_room": ("degC", ("usual",)),
        "usual_room_change": ("delta_degC", ("usual",)),
        "t0_change": ("delta_degC", ("challenge",)),
        "t0_beside_control": ("delta_degC", ("challenge", "control")),
        "gradient_2min_change": ("degC/min", ("challenge",)),
        "gradient_2min_beside_control": ("degC/min", ("challenge", "control")),
        "max_gradient_change": ("degC/min", ("challenge",)),
        "max_gradient_beside_control": ("degC/min", ("challenge", "control")),
        "recovery_change": ("percent", ("challenge",)),
        "recovery_beside_control": ("percent", ("challenge", "control")),
        "outdoor_change": ("delta_degC", ()),
    }
)
"""Unit, and what must have been recorded, of each feature: after − before of the treated toes' mean.

``…_beside_control`` is that less the same of the untreated foot; ``…_dorsal_change`` of toe − back of the foot;
``…_before`` is toe − room before, ``usual_room`` that room itself; ``recovery`` that of 10 min. ``tmin`` and
``lag`` are left out: in the simulated feet after 60 s at 15 °C the first is ``t0`` and the second 0, so they tell
nothing apart. The power of slow waves was tried and left out: it made probabilities no better.
"""

ALIKE_BELOW: Final = 0.75
"""Two causes are told apart by a protocol where the right one of both is found this often."""
OPEN_BELOW: Final = 0.80
"""A cause is named where its probability is at least this."""
_BETTER: Final = 0.02
"""A further recording is named where it tells the causes apart by more than this more often."""


@dataclass(frozen=True)
class Feature:
    """A feature's value and its standard uncertainty, in the unit of :data:`FEATURES`."""

    value: float
    u: float


@dataclass(frozen=True, eq=False)
class MechanismModel:
    """What training left: for each cause weights (parts,), means (parts, features), covariances (parts, features,
    features).

    ``told_apart`` maps a protocol ("warm+cool+control") and a pair of causes ("a|b") to how often the right one of both
    is found with it; ``sharpness`` maps a protocol to the power to which likelihoods are raised, so that probabilities
    are neither too sure nor too timid.
    """

    features: tuple[str, ...]
    weights: Mapping[str, Floats]
    means: Mapping[str, Floats]
    covariances: Mapping[str, Floats]
    sharpness: Mapping[str, float]
    told_apart: Mapping[str, Mapping[str, float]]
    command: str


@dataclass(frozen=True)
class MechanismEstimate:
    """``probability`` by cause. ``recorded`` are the words of :data:`RECORDINGS` that there were.

    ``sentence`` says what can be concluded. ``undecided`` are the causes between which the choice is open (empty where
    one is named), and ``record_next`` what would tell them apart best, with how often it does; "" where nothing in
    :data:`RECORDINGS` would.
    """

    probability: Mapping[str, float]
    recorded: tuple[str, ...]
    undecided: tuple[str, ...]
    record_next: str
    sentence: str


def protocols() -> tuple[tuple[str, ...], ...]:
    """Every protocol: one or more recordings, without and with a control; with a challenge goes rest before it."""
    kinds = ("warm", "cool", "usual", "challenge")
    some = [chosen for n in range(1, 5) for chosen in combinations(kinds, n)]
    some = [chosen for chosen in some if "challenge" not in chosen or "usual" in chosen]
    return tuple(chosen + end for chosen in some for end in ((), ("control",)))


def features_of(protocol: tuple[str, ...]) -> tuple[str, ...]:
    """The features that a protocol gives."""
    return tuple(name for name, (_, needs) in FEATURES.items() if set(needs) <= set(protocol))


def mechanism_probabilities(
    features: Mapping[str, Feature],
    *,
    prior: Mapping[str, float] | None = None,
    model: MechanismModel | None = None,
) -> MechanismEstimate:
    """The probability of each cause from whatever features there are.

    ``prior`` by cause is equal for all where it is not given. Raises :class:`InvalidInputError` for features that are
    not of :data:`FEATURES`, not finite, or none but the outdoor change.
    """
    model = model or load_model()
    _check(features, prior)
    recorded = tuple(name for name in RECORDINGS if any(name in FEATURES[f][1] for f in features))
    names = [name for name in model.features if name in features]
    value = np.array([[features[name].value for name in names]])
    u = np.array([[features[name].u for name in names]])
    key = "+".join(recorded)
    logs = model.sharpness.get(key, 1.0) * log_likelihoods(model, names, value, u)[0]
    weights = np.array([1.0 if prior is None else prior.get(name, 0.0) for name in MECHANISMS])
    with np.errstate(divide="ignore"):
        logs = logs + np.log(weights / weights.sum())
    shares = np.exp(logs - logs.max())
    probability = dict(zip(MECHANISMS, (shares / shares.sum()).tolist(), strict=True))
    undecided, following, sentence = _concluded(model, probability, recorded)
    return MechanismEstimate(MappingProxyType(probability), recorded, undecided, following, sentence)


def log_likelihoods(model: MechanismModel, names: list[str], value: Floats, u: Floats) -> Floats:
    """Logarithm of how likely ``value`` (people, features) is under each cause, (people, causes).

    ``u``, the same shape or one row for all, is added to the covariances as variance; features that are not among
    ``names`` are left out.
    """
    places = [model.features.index(name) for name in names]
    found = np.empty((len(value), len(MECHANISMS)))
    for column, cause in enumerate(MECHANISMS):
        parts = []
        for weight, mean, covariance in zip(
            model.weights[cause], model.means[cause], model.covariances[cause], strict=True
        ):
            off = value - mean[places]
            spread = covariance[np.ix_(places, places)] + u[:, :, None] ** 2 * np.eye(len(places))
            lower = np.linalg.cholesky(spread)
            white = np.linalg.solve(lower, off[..., None])[..., 0]
            volume = np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
            parts.append(np.log(weight) - 0.5 * (white**2).sum(axis=1) - volume)
        found[:, column] = np.logaddexp.reduce(parts, axis=0)
    return found


def model_from_json(text: str) -> MechanismModel:
    """What ``training/mechanism.py`` wrote. Raises :class:`InvalidInputError` where causes or features are others."""
    stored: dict[str, Any] = json.loads(text)
    if tuple(stored["mechanisms"]) != MECHANISMS or not set(stored["features"]) <= set(FEATURES):
        raise InvalidInputError(
            f"mechanism.json: expected the causes {', '.join(MECHANISMS)} and features of this version; found "
            f"{', '.join(stored['mechanisms'])}. Train it again: {stored.get('command', '')}"
        )

    def arrays(name: str) -> dict[str, Floats]:
        return {cause: np.array(values, dtype=np.float64) for cause, values in stored[name].items()}

    size = len(stored["features"])
    upper = np.triu_indices(size)
    covariances = {}
    for cause, parts in stored["covariances"].items():
        full = np.zeros((len(parts), size, size))
        for i, part in enumerate(parts):
            full[i][upper] = part
            full[i] = full[i] + np.triu(full[i], 1).T
        covariances[cause] = full
    return MechanismModel(
        tuple(stored["features"]), arrays("weights"), arrays("means"), covariances, stored["sharpness"],
        stored["told_apart"], stored["command"],
    )  # fmt: skip


@cache
def load_model() -> MechanismModel:
    """The model that comes with the package."""
    return model_from_json(resources.files("rewarm.effects").joinpath("mechanism.json").read_text("utf-8"))


def _check(features: Mapping[str, Feature], prior: Mapping[str, float] | None) -> None:
    unknown = [name for name in features if name not in FEATURES]
    if unknown:
        raise InvalidInputError(
            f"features of a mechanism: expected some of {', '.join(FEATURES)}; found {', '.join(unknown)}"
        )
    bad = [name for name, item in features.items() if not (isfinite(item.value) and item.u >= 0)]
    if bad:
        raise InvalidInputError(
            f"features of a mechanism: expected a finite value and an uncertainty of 0 or more; found otherwise in "
            f"{', '.join(bad)}. Leave out what was not measured"
        )
    if not any(FEATURES[name][1] for name in features):
        raise InvalidInputError(
            "features of a mechanism: expected those of at least one recording before and after "
            f"({'; '.join(RECORDINGS.values())}); found none"
        )
    if prior is not None and (set(prior) - set(MECHANISMS) or min(prior.values()) < 0 or sum(prior.values()) <= 0):
        raise InvalidInputError(f"prior: expected probabilities of {', '.join(MECHANISMS)}; found {dict(prior)}")


def _concluded(
    model: MechanismModel, probability: Mapping[str, float], recorded: tuple[str, ...]
) -> tuple[tuple[str, ...], str, str]:
    """Between which causes the choice is open, what to record, and the sentence."""
    order = sorted(probability, key=lambda name: -probability[name])
    said = ", ".join(f"{_words(name)} {probability[name]:.0%}" for name in order if probability[name] >= 0.05)
    first = order[0]
    if probability[first] >= OPEN_BELOW:
        return (), "", f"Most like {_words(first)} ({said}), as far as the simulated feet are like these."
    open_ = tuple(name for name in order if name in order[:2] or probability[name] >= 0.25 * probability[first])
    pairs = [f"{a}|{b}" if MECHANISMS.index(a) < MECHANISMS.index(b) else f"{b}|{a}" for a, b in combinations(open_, 2)]
    now = _worst(model, recorded, pairs)
    better = {extra: _worst(model, _with(recorded, extra), pairs) for extra in RECORDINGS if extra not in recorded}
    best = max(better, key=lambda name: better[name], default="")
    names = f"{', '.join(_words(name) for name in open_[:-1])} and {_words(open_[-1])}"
    told = f"The recordings leave open {names} ({said})."
    if now < ALIKE_BELOW:
        told += f" This protocol cannot tell them apart: of the two most alike the right one is found in {now:.0%}."
    if best and better[best] > now + _BETTER:
        told += f" What would help most is {RECORDINGS[best]}: {better[best]:.0%}."
        return open_, best, told
    return open_, "", told + " No further recording that rewarm knows would tell them apart much better."


def _with(recorded: tuple[str, ...], extra: str) -> tuple[str, ...]:
    more = {*recorded, extra, *(("usual",) if extra == "challenge" else ())}
    return tuple(name for name in RECORDINGS if name in more)


def _worst(model: MechanismModel, recorded: tuple[str, ...], pairs: list[str]) -> float:
    known = model.told_apart.get("+".join(recorded), {})
    return min((known.get(pair, 0.5) for pair in pairs), default=1.0)


def _words(mechanism: str) -> str:
    return {
        "nerve_block": "blocked nerves",
        "direct_dilation": "vessels dilated directly",
        "lost_sweating": "lost sweating",
        "environment_only": "a warmer room or season alone",
        "none": "no effect",
    }[mechanism]
