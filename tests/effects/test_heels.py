from dataclasses import replace
from itertools import pairwise
from math import isnan

import numpy as np
import pandas as pd
import pytest

from rewarm.effects.flats import flats, flats_sentence, group_flats
from rewarm.effects.harm import Harm, harms, probabilities_symptoms_rose, probability_harm_rose
from rewarm.effects.heel_effects import heel_effects
from rewarm.effects.heels import fit_heels, fit_people, slope_before, variant_weights
from rewarm.effects.load import carried, heel_days
from rewarm.effects.masking import masking
from rewarm.effects.rows import effects_table
from tests.effects.heel_worlds import INJECTED, Person, injections, live, participants, visits

USUAL = Person(rest=25.0)  # so that pain never ends at its scale's floor


def fitted(person: Person, seed: int):
    lived = live(person, seed)
    (days,) = heel_days(lived.diary, {"H1": INJECTED})
    return lived, fit_heels(days)


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"participant": "H1", **columns})


def test_load_is_hours_times_height_and_what_is_left_of_days_before():
    days = table(
        date=pd.date_range("2025-02-26", periods=5),
        pain_vas=50.0,
        heel_hours=[4.0, 0.0, 2.0, np.nan, 6.0],
        heel_height_mm=[80.0, np.nan, np.nan, np.nan, 50.0],
    )
    (heels,) = heel_days(days, {"H1": INJECTED})
    assert heels.unit == "h cm"
    assert heels.load.tolist() == pytest.approx([32.0, 0.0, 13.0, np.nan, 30.0], nan_ok=True)  # 65 mm is the median
    assert carried(heels, 0.0).tolist() == pytest.approx([32.0, 0.0, 13.0, 30.0, 30.0])  # a gap is the side's mean
    half = carried(heels, 0.5)
    assert half[0] == pytest.approx(0.5 * 15.0 + 0.5 * 32.0)  # before the diary: the mean of the days before
    assert half[1] == pytest.approx(0.5 * half[0])


def test_without_any_height_the_load_is_hours():
    (heels,) = heel_days(
        table(date=pd.date_range("2025-02-20", periods=3), pain_vas=1.0, heel_hours=[3.0, 2.0, 0.0]), {"H1": INJECTED}
    )
    assert heels.unit == "h"
    assert heels.load.tolist() == [3.0, 2.0, 0.0]


@pytest.mark.parametrize(
    "person", [USUAL, replace(USUAL, temptation=0.3), replace(USUAL, toxin=0.0, carry_over=0.7)], ids=str
)
def test_relief_at_equal_load_covers_the_toxins_own_effect(person: Person):
    found = []
    for seed in range(20):
        _, fit = fitted(person, seed)
        toxin = fit.joint.vector(effect=1)
        lower, upper = fit.joint.interval(toxin, 0.90)
        found.append((lower <= person.toxin <= upper, fit.joint.mean(toxin), upper - lower))
    assert np.mean([inside for inside, _, _ in found]) >= 0.75  # 18 of 20 expected; below 15 has a probability of 1 %
    assert np.mean([mean for _, mean, _ in found]) == pytest.approx(person.toxin, abs=1.6)
    assert np.mean([width for _, _, width in found]) < 20


def test_tempted_people_feel_less_relief_than_the_toxin_gave():
    """More load takes part of the relief back: the two estimates differ, in the right direction."""
    observed, equal = [], []
    for seed in range(12):
        _, fit = fitted(replace(USUAL, temptation=0.5), seed)
        observed.append(fit.pain.mean(fit.pain.vector(effect=1)))
        equal.append(fit.joint.mean(fit.joint.vector(effect=1)))
    assert np.mean(equal) == pytest.approx(-12, abs=1.6)
    assert np.mean(observed) > np.mean(equal) + 2.5


def test_what_flats_would_have_done_covers_the_truth():
    hits, errors = [], []
    for seed in range(20):
        lived, fit = fitted(USUAL, seed)
        half = flats(fit)[4]
        truth = -USUAL.slope * lived.load_before * 4 / 7
        hits.append(half.lower <= truth <= half.upper)
        errors.append(half.change - truth)
    assert np.mean(hits) >= 0.75
    assert np.mean(errors) == pytest.approx(0.0, abs=1.3)  # of 13 points


def test_a_real_change_to_flats_is_what_was_predicted():
    """The prediction from before against a world in which the same kind of person wears flats on four days a week."""
    predicted, lived_through = [], []
    for seed in range(12):
        _, fit = fitted(replace(USUAL, toxin=0.0), seed)
        predicted.append(flats(fit)[4].change)
        other = live(replace(USUAL, toxin=0.0, flats_days=4.0), seed)
        lived_through.append(other.pain_after - other.pain_before)
    assert np.mean(predicted) == pytest.approx(np.mean(lived_through), abs=2.0)


def test_no_flats_is_no_change_and_seven_days_take_all_the_load_away():
    _, fit = fitted(USUAL, 1)
    rows = flats(fit)
    assert (rows[0].change, rows[0].lower, rows[0].upper) == (0.0, 0.0, 0.0)
    changes = [row.change for row in rows]
    assert all(later < earlier for earlier, later in pairwise(changes))
    assert rows[-1].probability > rows[1].probability
    assert "three days a week in flats would have changed pain by" in flats_sentence(rows)
    assert variant_weights(fit.joint).sum() == pytest.approx(1.0)


def test_load_that_never_varies_cannot_tell():
    _, fit = fitted(replace(USUAL, heel_days=7.0, hours_sd=0.0), 3)
    assert fit.joint is None
    assert "much the same on every day" in fit.cannot_tell[0]
    rows = flats(fit)
    assert all(isnan(row.change) for row in rows)
    assert "what flats would have done cannot be told: the load was much the same on every day" in flats_sentence(rows)


def test_loads_beyond_what_was_seen_cannot_tell():
    """Flats only from the injection on: relief at equal load would be a guess, and says so."""
    _, fit = fitted(replace(USUAL, flats_days=7.0), 3)
    assert fit.joint is None
    assert "every day had less load than the days before had on average" in fit.cannot_tell[0]


def test_pain_that_does_not_follow_load_is_told():
    told = [flats(fitted(replace(USUAL, slope=0.0), seed)[1])[-1].cannot_tell for seed in range(8)]
    assert sum("does not visibly follow the load" in text for text in told) >= 5


def test_masking_is_high_where_load_rose_and_low_where_it_did_not():
    """Probabilities beside what happened, in people whose heel hours are steady enough to be compared."""
    steady = replace(USUAL, heel_days=7.0, hours_sd=1.0, days_before=42)
    tempted = [masking(fitted(replace(steady, temptation=0.4), seed)[1], None) for seed in range(8)]
    same = [masking(fitted(steady, seed)[1], None) for seed in range(8)]
    assert np.mean([one.probability for one in tempted]) > 0.55
    assert np.mean([one.probability for one in same]) < 0.15
    assert all(one.flagged for one in tempted if one.probability >= 0.5)
    assert "Feeling better may be hiding more load or harm" in tempted[0].sentence
    assert "The probability that the relief hides load or harm is" in same[0].sentence


def test_masking_is_calibrated_over_many_worlds():
    """Of people given 0 to 40 % masking few are masked, of those given 60 to 100 % most; truth by expected pain and
    load.
    """
    rng = np.random.default_rng(5)
    given, true = [], []
    for seed in range(40):
        person = replace(USUAL, toxin=float(rng.uniform(-14, 6)), temptation=float(rng.choice([0, 0.15, 0.3, 0.5])))
        lived, fit = fitted(person, 1000 + seed)
        given.append(masking(fit, None).probability)
        true.append(lived.pain_after < lived.pain_before and lived.load_after > 1.1 * lived.load_before)
    given_, true_ = np.array(given), np.array(true, dtype=float)
    assert abs(given_.mean() - true_.mean()) < 0.12
    assert true_[given_ < 0.3].mean() < 0.35
    assert true_[given_ > 0.7].mean() > 0.65
    assert np.mean((given_ - true_) ** 2) < 0.8 * true_.mean() * (1 - true_.mean()) + 1e-9  # better than its own mean


def test_harm_after_the_injection_alone_raises_masking():
    lived, fit = fitted(replace(USUAL, heel_days=7.0, hours_sd=1.0), 2)  # whose load stays as it was
    events = table(
        date=[INJECTED + pd.Timedelta(days=d) for d in (10, 20, 30, 40)],
        term=["toe weakness", "fall", "fall", "cold"],
        severity=2,
        relatedness=["related", "", "possible", "unrelated"],
    )
    harm = harms(events, lived.diary, {"H1": INJECTED})["H1"]
    assert (harm.before, harm.after, dict(harm.terms)) == (0, 3, {"toe weakness": 1, "fall": 2})
    with_harm, without = masking(fit, harm), masking(fit, replace(harm, after=0, terms=()))
    assert with_harm.probability > without.probability + 0.5
    assert "Recorded after the injection: fall (2 ×), toe weakness." in with_harm.sentence


def test_the_probability_of_harm_counts_days_and_never_makes_harm_of_none():
    assert probability_harm_rose(Harm("H1", 0, 0, 30, 200)) == 0.0
    assert probability_harm_rose(Harm("H1", 0, 0, 0, 200)) == 0.0
    same_rate = probability_harm_rose(Harm("H1", 10, 20, 100, 200))
    assert same_rate == pytest.approx(0.5, abs=0.05)
    assert probability_harm_rose(Harm("H1", 1, 12, 100, 100)) > 0.99
    assert probability_harm_rose(Harm("H1", 12, 1, 100, 100)) < 0.01


def symptomatic(before: float, after: float, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    dates = pd.date_range(INJECTED - pd.Timedelta(days=40), periods=120)
    share = np.where(dates < INJECTED, before, after)
    numb = np.where(rng.random(120) < share, "some", "no")
    return table(date=dates, pain_vas=40.0, numbness=numb, tingling="")


def test_numbness_on_more_days_is_harm_and_is_said():
    """Rises of the share of days from none to a tenth or less say little, those beyond say much."""
    clear, none, same = (
        harms(None, symptomatic(*shares), {"H1": INJECTED})["H1"] for shares in ((0.05, 0.7), (0.0, 0.0), (0.3, 0.3))
    )
    assert clear.symptoms_after == pytest.approx(0.7, abs=0.12)
    alone = [probabilities_symptoms_rose({"H1": one})["H1"] for one in (clear, none, same)]
    assert alone[0] > 0.9
    assert alone[1] == 0.0
    assert alone[2] < 0.3
    _, fit = fitted(replace(USUAL, heel_days=7.0, hours_sd=1.0), 2)  # whose load stays as it was
    found = masking(fit, clear)
    assert found.probability > masking(fit, none).probability + 0.5
    assert f"Numbness or tingling was written on {clear.symptoms_after:.0%} of the days" in found.sentence


def test_numbness_of_all_the_others_makes_a_faint_rise_likelier():
    faint = Harm(
        "H1", 0, 0, 42, 120, symptoms_before=0.05, symptoms_after=0.16, symptoms_rise=0.11, symptoms_rise_sd=0.05
    )
    others = {f"H{k}": replace(faint, who=f"H{k}", symptoms_after=0.4, symptoms_rise=0.35) for k in range(2, 5)}
    spared = {f"H{k}": replace(faint, who=f"H{k}", symptoms_after=0.05, symptoms_rise=0.0) for k in range(2, 5)}
    alone, among_harmed, among_spared = (
        probabilities_symptoms_rose({"H1": faint, **rest})["H1"] for rest in ({}, others, spared)
    )
    assert among_spared + 0.05 < alone < among_harmed - 0.05


def test_where_load_harms_flats_would_let_it_heal_besides():
    _, fit = fitted(USUAL, 4)
    spared, harmed = flats(fit)[4], flats(fit, harmed=1.0)[4]
    assert 1.08 < harmed.change / spared.change < 1.25
    assert harmed.upper - harmed.lower > spared.upper - spared.lower
    both = [fit, replace(fit, who="H2")]
    group, other = (group_flats(both, harmed=dict.fromkeys(who, 1.0))[4].change for who in ((), ("H1", "H2")))
    assert 1.08 < other / group < 1.25


def test_days_without_a_word_on_numbness_are_missing_not_free_of_it():
    days = symptomatic(0.05, 0.5)
    days.loc[days["date"] >= INJECTED, "numbness"] = None
    assert isnan(harms(None, days, {"H1": INJECTED})["H1"].symptoms_rise)


def test_weakness_is_named_as_the_toxins_own_doing():
    lived, fit = fitted(USUAL, 2)
    events = table(date=[INJECTED + pd.Timedelta(days=9)], term=["weakness of toes"], severity=2)
    sentence = masking(fit, harms(events, lived.diary, {"H1": INJECTED})["H1"]).sentence
    assert "a weak forefoot bears less, and hurting less is then not healing" in sentence


def test_people_inform_each_other_about_carry_over_and_slope():
    """Twelve people alike: their slopes come closer to the truth than each from its own days, and not to zero."""
    own, shared = [], []
    people = []
    for seed in range(12):
        lived = live(replace(USUAL, days_before=25, days_after=50), seed, f"H{seed}")
        people += heel_days(lived.diary, {f"H{seed}": INJECTED})
    for days, fit in zip(people, fit_people(people), strict=True):
        own.append(fit_heels(days).joint.mean(slope_before(fit.joint)))
        shared.append(fit.joint.mean(slope_before(fit.joint)))
    errors = [np.sqrt(np.mean((np.array(found) - USUAL.slope) ** 2)) for found in (own, shared)]
    assert errors[1] < 0.8 * errors[0]
    assert np.mean(shared) == pytest.approx(USUAL.slope, rel=0.2)


def test_new_ulcers_are_harm():
    days = table(
        date=pd.date_range("2025-02-20", periods=20), pain_vas=40.0, ulcers_n=[0.0] * 12 + [1.0] * 4 + [3.0] * 4
    )
    harm = harms(None, days, {"H1": INJECTED})["H1"]
    assert dict(harm.terms) == {"new ulcer": 3}


def test_rows_of_a_group_fit_the_contract():
    ids = [f"H{k}" for k in range(4)]
    lived = pd.concat([live(replace(USUAL, temptation=0.4), k, who).diary for k, who in enumerate(ids)])
    result = heel_effects(
        {"design": {"kind": "case_series"}}, participants(*ids), visits(*ids), injections(*ids), lived
    )
    rows = effects_table(result.effects)
    assert len(rows) == len(result.sentences)
    assert set(rows["estimand"]) == {"observed_relief", "relief_at_equal_load", "load_change", "masking"}
    assert (rows[rows["estimand"] == "load_change"]["unit"] == "h cm").all()
    group = rows[(rows["who"] == "group") & (rows["estimand"] == "relief_at_equal_load")].iloc[0]
    assert group["lower"] < -12 < group["upper"]
    assert group["n"] == 4
    mask = rows[(rows["who"] == "group") & (rows["estimand"] == "masking")].iloc[0]
    assert mask["probability"] == pytest.approx(1 - mask["estimate"])
    assert {row.who for row in result.flats} == {*ids, "group"}
    assert any("whether harm rose is not known" in note for note in result.notes)
    assert any("days in flats drawn by chance could" in note for note in result.notes)


def test_pain_changes_in_one_convention_and_never_below_none():
    """Signed changes in every sentence; little pain before cannot fall by more than all of it."""
    ids = ["H1", "H2"]
    diaries = []
    for number, who in enumerate(ids):
        diary = live(USUAL, number, who).diary
        diaries.append(diary.assign(pain_vas=(diary["pain_vas"] - diary["pain_vas"].mean() + 4.0).clip(lower=0)))
    lived = pd.concat(diaries)
    result = heel_effects(
        {"design": {"kind": "case_series"}}, participants(*ids), visits(*ids), injections(*ids), lived
    )
    usual = lived[lived["date"] < INJECTED].groupby("participant")["pain_vas"].mean()
    usual["group"] = usual.mean()
    of_pain = [row for row in result.effects if row.estimand in ("observed_relief", "relief_at_equal_load")]
    assert all(row.lower >= -usual[row.who] - 1e-9 for row in of_pain)
    assert all(
        row.lower >= -usual[row.who] - 1e-9 and row.toxin_lower >= -usual[row.who] - 1e-9 for row in result.flats
    )
    assert any(row.lower == pytest.approx(-usual[row.who]) for row in of_pain)
    assert "pain changed by −" in result.sentences[0].replace("-", "−")
    assert "a minus is less pain" in result.sentences[0]
    assert not any("fell by" in sentence for sentence in result.sentences)


def test_a_diary_without_heels_says_nothing_about_them():
    days = live(USUAL, 1).diary.drop(columns="heel_hours")
    assert heel_effects({}, participants("H1"), visits("H1"), injections("H1"), days) is None
    few = live(replace(USUAL, days_before=3), 1).diary
    result = heel_effects({}, participants("H1"), visits("H1"), injections("H1"), few)
    assert result.effects == ()
    assert "Too few days of pain" in result.notes[0]
