"""The calibration goes on where it was stopped, counts what failed, and its page says what its tables say."""

from __future__ import annotations

import importlib
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return lambda name: importlib.import_module(name)


def made(seed: int, *, fails: int = 0) -> dict:
    if seed == fails:
        raise ValueError("no toe was seen")
    held = dict.fromkeys(("covered", "duration_covered", "over_zero", "called", "t_test_called"), seed % 2 == 0)
    numbers = ("truth", "estimate", "lower", "upper", "t_test_estimate", "true_duration", "duration", "cpu_s")
    return {
        **held,
        **dict.fromkeys(numbers, 1.0),
        "people_covered": 0.5,
        "people_duration_covered": 1.0,
        "controlled": True,
        "trouble": seed == 1,
    }


def test_a_study_that_fails_is_a_row_and_counts_as_not_held(scripts, tmp_path):
    calibrate = scripts("calibrate_effects")
    studies = calibrate.run({"a": partial(made, fails=2)}, range(1, 5), tmp_path / "x.csv", processes=0)
    assert studies["failed"].dropna().tolist() == ["ValueError: no toe was seen"]
    row = calibrate.summary(studies).iloc[0]
    assert (row["studies"], row["failed"], row["trouble"]) == (4, 1, 1)
    assert row["covered"] == 0.25
    assert row["covered_low"] < 0.25 < row["covered_high"]


def test_goes_on_where_it_was_and_starts_again_when_the_code_changed(scripts, tmp_path, monkeypatch):
    calibrate = scripts("calibrate_effects")
    path, asked = tmp_path / "x.csv", []

    def work(seed):
        asked.append(seed)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return made(seed)

    with pytest.raises(KeyboardInterrupt):
        calibrate.run({"a": work}, range(1, 5), path, processes=0)
    assert pd.read_csv(path)["seed"].tolist() == [1, 2]
    studies = calibrate.run({"a": work}, range(1, 5), path, processes=0)
    assert studies["covered"].tolist() == [0, 1, 0, 1]
    assert asked == [1, 2, 3, 3, 4]
    monkeypatch.setattr(calibrate, "fingerprint", lambda: "another")
    calibrate.run({"a": work}, range(1, 3), path, processes=0)
    assert asked[5:] == [1, 2]
    written = pd.read_csv(path)
    assert set(written["code"]) == {"another"}
    assert written["covered"].tolist() == [0, 1]


def test_truth_is_what_was_simulated(scripts):
    studies = scripts("effect_studies")
    scenario = {item.name: item for item in studies.SCENARIOS}["split_limb"]
    study = studies.simulate(scenario, 1)
    treated = study.injections.loc[study.injections["units_u"] > 0].groupby("participant")["side"].nunique()
    assert (treated == 1).all()
    sizes = [effect(np.array([42.0]))[0] for effect in study.effects.values()]
    assert study.true_effect(np.array([42.0]))[0] == pytest.approx(np.mean(sizes))
    assert studies.days_over(lambda day: 2.0 * ((day > 9) & (day < 51)), 1.0, 200.0) == 40.0
    assert studies.days_over(lambda day: 0.0 * day, 1.0, 200.0) == 0.0


def test_only_what_is_sure_and_controlled_counts_as_called(scripts):
    calibrate, studies = scripts("calibrate_effects"), scripts("effect_studies")
    scenario = {item.name: item for item in studies.SCENARIOS}
    rows = {
        name: calibrate.judge(partial(studies.simulate, scenario[name]), 1)
        for name in ("repeated_baseline", "split_limb", "split_limb_no_effect")
    }
    assert {name: (row["probability"] >= 0.975, row["called"]) for name, row in rows.items()} == {
        "repeated_baseline": (True, False),
        "split_limb": (True, True),
        "split_limb_no_effect": (False, False),
    }


def test_truth_drawn_from_the_priors_is_ranked_between_zero_and_one(scripts):
    calibrate = scripts("calibrate_effects")
    scenario = {item.name: item for item in scripts("effect_studies").SCENARIOS}["n_of_1"]
    ranks = calibrate.rank(scenario, 3)
    assert set(ranks) == {"effect", "person", "duration", "onset", "trouble"}
    assert all(0 <= ranks[name] <= 1 for name in ("effect", "person", "duration", "onset"))


def test_the_page_is_the_one_that_its_script_writes(scripts):
    page = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
    assert scripts("calibration_page").page() == page, "run scripts/calibration_page.py"


def test_the_tables_are_those_of_their_studies(scripts):
    """Nobody edits a summary: it follows from its rows."""
    calibrate = scripts("calibrate_effects")
    folder = ROOT / "docs" / "calibration"
    for name in (path.stem for path in folder.glob("*.csv") if "_studies" not in path.stem):
        studies = calibrate.rows_of(folder / f"{name}_studies.csv")
        again = (calibrate.ranks_summary if name == "ranks" else calibrate.summary)(studies)
        written = pd.read_csv(folder / f"{name}.csv")
        pd.testing.assert_frame_equal(again, written, check_dtype=False, atol=0.0011)


def test_scripts_are_not_left_on_the_path():
    assert str(ROOT / "scripts") not in sys.path
