"""Probabilities of mechanisms: what is told, what is left open, and what should be recorded next."""

import json

import numpy as np
import pytest

from rewarm.effects.mechanism import (
    FEATURES,
    MECHANISMS,
    RECORDINGS,
    Feature,
    features_of,
    load_model,
    log_likelihoods,
    mechanism_probabilities,
    model_from_json,
    protocols,
)
from rewarm.errors import InvalidInputError

FULL = ("warm", "cool", "usual", "challenge", "control")


def typical(cause, protocol=FULL):
    """The features of the middle of a cause's larger part, with a usual camera's uncertainty."""
    model = load_model()
    middle = model.means[cause][int(np.argmax(model.weights[cause]))]
    us = {"delta_degC": 0.2, "degC": 0.3, "degC/min": 0.05, "percent": 3.0}
    return {
        name: Feature(float(middle[model.features.index(name)]), us[FEATURES[name][0]])
        for name in features_of(protocol)
    }


@pytest.mark.parametrize("cause", ["nerve_block", "direct_dilation", "lost_sweating", "environment_only"])
def test_a_typical_patient_of_a_cause_is_most_like_it(cause):
    found = mechanism_probabilities(typical(cause))
    assert max(found.probability, key=lambda name: found.probability[name]) == cause
    assert sum(found.probability.values()) == pytest.approx(1.0)
    assert found.recorded == FULL


def test_one_warm_room_leaves_open_and_names_the_recording_that_would_tell():
    found = mechanism_probabilities(typical("lost_sweating", ("warm",)))
    assert found.probability["lost_sweating"] < 0.8
    assert len(found.undecided) >= 2
    assert found.record_next in set(RECORDINGS) - {"warm"}
    assert RECORDINGS[found.record_next] in found.sentence
    assert "leave open" in found.sentence


def test_what_stays_open_names_two_causes_at_least():
    rng = np.random.default_rng(4)
    for _ in range(20):
        features = {name: Feature(item.value + rng.normal(), item.u + 0.3) for name, item in typical("none").items()}
        found = mechanism_probabilities(features)
        named = max(found.probability.values()) >= 0.8
        assert len(found.undecided) == 0 if named else len(found.undecided) >= 2


def test_a_feature_that_is_hardly_known_tells_as_much_as_none():
    known = typical("nerve_block", ("warm", "cool"))
    without = {name: item for name, item in known.items() if name != "cool_change"}
    vague = known | {"cool_change": Feature(known["cool_change"].value, 1e4)}
    one, other = mechanism_probabilities(without), mechanism_probabilities(vague)
    for cause in MECHANISMS:
        assert one.probability[cause] == pytest.approx(other.probability[cause], abs=2e-3)


def test_a_left_out_feature_is_integrated_over():
    model = load_model()
    rng = np.random.default_rng(1)
    values = rng.normal(size=(20_000, 1)) * 8.0
    names = ["warm_change", "cool_change"]
    fixed = np.full_like(values, 1.0)
    both = log_likelihoods(model, names, np.hstack([fixed, values]), np.full((len(values), 2), 0.3))
    proposal = -0.5 * (values[:, 0] / 8.0) ** 2 - np.log(8.0 * np.sqrt(2 * np.pi))
    # log_likelihoods leaves out (2π)^(−k/2), which is the same for all causes
    joint = np.exp(both - 0.5 * 2 * np.log(2 * np.pi) - proposal[:, None]).mean(axis=0)
    alone = np.exp(log_likelihoods(model, names[:1], fixed[:1], np.full((1, 1), 0.3))[0] - 0.5 * np.log(2 * np.pi))
    assert joint == pytest.approx(alone, rel=0.05)


def test_the_prior_moves_the_answer():
    features = typical("lost_sweating", ("warm", "cool"))
    even = mechanism_probabilities(features)
    believed = mechanism_probabilities(features, prior={name: float(name == "none") + 0.01 for name in MECHANISMS})
    assert believed.probability["none"] > even.probability["none"]


def test_every_protocol_says_what_it_tells_apart():
    model = load_model()
    assert set(model.told_apart) == {"+".join(protocol) for protocol in protocols()}
    assert len(protocols()) == 22
    assert all("usual" in protocol for protocol in protocols() if "challenge" in protocol)
    full, warm = model.told_apart["+".join(FULL)], model.told_apart["warm"]
    assert min(full.values()) > min(warm.values())


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"warmth": Feature(1.0, 0.1)}, "found warmth"),
        ({"warm_change": Feature(float("nan"), 0.1)}, "finite value .* found otherwise in warm_change"),
        ({"outdoor_change": Feature(3.0, 1.0)}, "at least one recording"),
    ],
)
def test_bad_features_are_refused(features, message):
    with pytest.raises(InvalidInputError, match=message):
        mechanism_probabilities(features)


def test_a_bad_prior_is_refused():
    with pytest.raises(InvalidInputError, match="prior: expected probabilities"):
        mechanism_probabilities(typical("none"), prior={"placebo": 1.0})


def test_a_model_of_other_causes_is_refused():
    with pytest.raises(InvalidInputError, match="Train it again: python -m training"):
        model_from_json(json.dumps({"mechanisms": ["none"], "features": [], "command": "python -m training.mechanism"}))
