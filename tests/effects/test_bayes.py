"""The sampler beside the fast estimator on the same study: two ways to one posterior. One compilation, few draws."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="the extra rewarm[effects] is not installed", exc_type=ImportError)
pytest.importorskip("nutpie", reason="the extra rewarm[effects] is not installed", exc_type=ImportError)

from rewarm.effects import bayes
from rewarm.effects.draws import interval
from rewarm.effects.fast import fit_fast
from rewarm.effects.frame import analysis_frame
from rewarm.effects.metrics import outcome_named
from rewarm.effects.model import build_model
from rewarm.errors import InvalidInputError
from tests.effects.effect_worlds import world

DAY = np.array([42.0])


@pytest.fixture(scope="module")
def data():
    made = world(people=3, treated_sides=("left",), season_c=1.0)
    frame = analysis_frame(outcome_named("mean"), "toes", made.measurements, made.visits, made.injections)
    return build_model(frame, outcome_named("mean"), randomised=True)


@pytest.fixture(scope="module")
def sampled(data):
    return bayes.fit_bayes(data, sampling=bayes.Sampling(chains=2, tune=300, draws=300, cores=2, target_accept=0.85))


@pytest.mark.timeout(600)
def test_sampler_and_fast_estimator_agree(data, sampled):
    fast = fit_fast(data)
    ours, theirs = (interval(item.mean_effect(DAY)[:, 0], 0.9) for item in (sampled, fast))
    width = theirs[2] - theirs[1]
    assert ours == pytest.approx(theirs, abs=0.3 * width)
    assert ours[1] < 2.0 < ours[2]
    for name in ("sd_person", "sd_visit", "sd_visit_limb"):
        assert np.median(sampled.others[name]) == pytest.approx(np.median(fast.others[name]), rel=0.4)


@pytest.mark.timeout(600)
def test_draws_have_their_shapes_and_diagnostics(data, sampled):
    assert sampled.person.shape == (600, 3)
    assert sampled.duration.shape == (600, 3)
    assert sampled.chains == 2
    assert sampled.diagnostics["r_hat"] < 1.1
    assert set(sampled.diagnostics) == {"r_hat", "effective_draws", "divergences"}


def test_bad_sampling_is_told_in_a_sentence():
    assert bayes._trouble(1.004, 900.0, 0.0, 3000) == ""
    sentence = bayes._trouble(1.05, 90.0, 40.0, 3000)
    assert "R-hat is 1.050" in sentence
    assert "90 effective draws" in sentence
    assert "40 of 3000 steps diverged" in sentence
    assert bayes._trouble(float("nan"), 900.0, 0.0, 3000).startswith("The sampler did not converge well: R-hat is nan")


def test_missing_libraries_are_named_with_what_to_do(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "nutpie", None)
    with pytest.raises(InvalidInputError, match=r"found no nutpie. Install them with: pip install 'rewarm\[effects\]'"):
        bayes._library()
