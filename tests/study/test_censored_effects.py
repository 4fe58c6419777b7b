"""Times to recovery that were not reached, from the study's tables to the page: censored everywhere."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from rewarm.cli import app
from rewarm.errors import InvalidInputError
from rewarm.report.effect_words import answer
from rewarm.report.effects import write_effects_report
from rewarm.study.effects import study_effects, write_study_effects
from tests.effects.effect_worlds import world
from tests.study.test_effects import write_study

WAITED_S = 600.0
RATIO = 0.5
MORE = 'control = "untreated_limb"\nrandomised = true\n[outcomes]\nprimary = "t50"\n'


def recoveries():
    """Toes that take 600 s for half of their recovery, and half as long once treated; nobody waits over 600 s."""
    made = world(people=5, treated_sides=("left",), days=(-21, 0, 42, 90), day_sd_c=0.0)
    rng = np.random.default_rng(2)
    rows = made.measurements.copy()
    later = rows["visit"].isin(("V2", "V3"))
    treated = later & (rows["side"] == "left")
    true = 600.0 * np.where(treated, RATIO, 1.0) * np.exp(rng.normal(0.0, 0.3, len(rows)))
    times = rows.assign(metric="t50", unit="s", value=np.minimum(true, WAITED_S), u=5.0)
    reached = rows.assign(metric="t50_reached", unit="1", value=(true < WAITED_S).astype(float), u=np.nan)
    return type(made)(made.participants, made.visits, made.injections, pd.concat([rows, times, reached]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("t") / "study", recoveries(), kind="split_limb", more=MORE)


def test_the_fast_estimator_refuses_and_says_what_to_do(folder, tmp_path):
    with pytest.raises(InvalidInputError, match=r"t50: expected no censored value .* leave --fast out"):
        study_effects(folder, sampler=None)
    done = CliRunner().invoke(app, ["effect", str(folder), "-o", str(tmp_path / "out"), "--fast", "--no-pdf"])
    assert isinstance(done.exception, InvalidInputError)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def sampled(folder):
    pytest.importorskip("nutpie", reason="the extra rewarm[effects] is not installed", exc_type=ImportError)
    pytest.importorskip("numba", reason="the extra rewarm[effects] is not installed", exc_type=ImportError)
    from rewarm.effects.bayes import Sampling

    return study_effects(folder, sampler=Sampling(chains=2, tune=200, draws=200))


@pytest.mark.timeout(900)
def test_what_was_not_reached_is_longer_and_not_as_long(sampled):
    """Taken as reached, times that were given up at 600 s make the untreated look quicker than they are."""
    item = sampled.lead
    assert item.outcome.name == "t50"
    assert item.frame["reached"].mean() < 0.75
    for draws in (item.draws, item.change):
        assert draws.method.startswith("Hamiltonian")
    group = item.group
    naive = naive_ratio(item.frame)
    assert naive > RATIO * 1.05
    assert group.estimate < 0.96 * naive
    assert group.estimate == pytest.approx(RATIO, rel=0.15)
    assert group.lower < RATIO < group.upper
    assert group.unit == "ratio"


def naive_ratio(frame):
    """Treated against untreated, after against before, of the values as they stand."""
    means = frame.groupby(["treated", "baseline"])["value"].mean()
    return float(np.exp(means[True, False] - means[True, True] - means[False, False] + means[False, True]))


@pytest.mark.timeout(900)
def test_cox_stands_beside_it_with_its_interval(sampled, tmp_path):
    cox = [test for test in sampled.tests if test.test.startswith("Cox")]
    assert [test.role for test in cox] == ["primary"]
    assert cox[0].estimate > 1.5  # half the time: recovers faster
    assert cox[0].lower > 1.0
    assert cox[0].p_holm == cox[0].p
    assert not any(test.outcome == "t50" and test.test.startswith("mixed") for test in sampled.tests)
    write_study_effects(sampled, tmp_path)
    write_effects_report(sampled, tmp_path / "effects.html")
    page = (tmp_path / "effects.html").read_text(encoding="utf-8")
    assert "Cox regression takes times that were not reached as longer than was waited" in page
    assert f"{cox[0].lower:+.2f} to".replace("-", "−") in page
    assert "secondary" not in page.split("Classical tests")[1] or "Holm" in page
    assert "quicker in" in answer(sampled)[0]
