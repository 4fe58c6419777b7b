"""A study's tables become features: treated toes, the untreated foot beside them, rooms that count."""

import numpy as np
import pandas as pd
import pytest

from rewarm.clinical import Design, Outcomes, StudyTables
from rewarm.effects.mechanism import MECHANISMS
from rewarm.effects.mechanism_features import mechanism_effects, person_features, person_mechanisms
from rewarm.effects.rows import effects_table
from rewarm.regions import TOES

WARM, COOL, USUAL = 27.4, 20.1, 23.0


def rest(visit, left, right, *, dorsal=None):
    rows = []
    for side, value in (("left", left), ("right", right)):
        for toe in TOES:
            rows.append((visit, side, toe, "mean", value, 0.5))
            if dorsal is not None:
                rows.append((visit, side, toe, "distal_dorsal_difference", dorsal, 0.15))
    return rows


def tables(rows, visits):
    measurements = pd.DataFrame(rows, columns=["visit", "side", "region", "metric", "value", "u"])
    measurements["participant"], measurements["time_s"] = "P1", np.nan
    seen = pd.DataFrame(visits, columns=["visit", "date", "ambient_c", "outdoor_mean_c"])
    seen["participant"], seen["date"] = "P1", pd.to_datetime(seen["date"])
    injections = pd.DataFrame(
        {"participant": "P1", "date": pd.Timestamp("2025-01-10"), "side": "left", "site": list(TOES), "units_u": 2.0}
    )
    empty = pd.DataFrame()
    return StudyTables(
        "s", "t", "UTC", Design("split_limb"), Outcomes(), empty, seen, empty, injections, empty, empty, measurements
    )


@pytest.fixture
def study():
    rows = [
        *rest("w0", 28.0, 28.1, dorsal=-1.5), *rest("w1", 28.3, 28.2, dorsal=-1.4),
        *rest("c0", 21.5, 21.6), *rest("c1", 25.0, 21.7),
    ]  # fmt: skip
    visits = [
        ("w0", "2025-01-08", WARM, 2.0), ("c0", "2025-01-09", COOL, 4.0),
        ("w1", "2025-02-20", WARM, 5.0), ("c1", "2025-02-21", COOL, 7.0),
    ]  # fmt: skip
    return tables(rows, visits)


def test_features_are_changes_of_treated_toes_and_beside_the_other_foot(study):
    features, visits, _ = person_features(study, "P1")
    assert features["cool_change"].value == pytest.approx(3.5)
    assert features["cool_beside_control"].value == pytest.approx(3.4)
    assert features["warm_dorsal_change"].value == pytest.approx(0.1)
    assert features["warm_before"].value == pytest.approx(28.0 - WARM)
    assert features["outdoor_change"].value == pytest.approx(3.0)
    assert features["cool_beside_control"].u < features["cool_change"].u
    assert set(visits) == {"w0", "c0", "w1", "c1"}


def test_warmer_in_the_cool_room_alone_is_most_like_blocked_nerves(study):
    (person,), left_out = person_mechanisms(study)
    assert left_out == ()
    chance = person.estimate.probability
    assert max(chance, key=lambda name: chance[name]) == "nerve_block"
    assert person.estimate.recorded == ("warm", "cool", "control")
    table = effects_table(mechanism_effects((person,), design="controlled"))
    assert list(table["outcome"]) == list(MECHANISMS)
    assert set(table["estimand"]) == {"mechanism"}
    assert table["estimate"].sum() == pytest.approx(1.0)
    assert set(table["unit"]) == {"1"}


def test_rest_in_a_usual_room_counts_with_the_room_it_was():
    usual = tables(
        [*rest("a", 25.0, 25.0, dorsal=-3.0), *rest("b", 27.0, 25.0, dorsal=-1.0)],
        [("a", "2025-01-08", USUAL, 2.0), ("b", "2025-02-20", USUAL + 0.5, 5.0)],
    )
    features, visits, _ = person_features(usual, "P1")
    assert visits == ("a", "b")
    assert features["usual_change"].value == features["usual_beside_control"].value == pytest.approx(2.0)
    assert features["usual_dorsal_change"].value == pytest.approx(2.0)
    assert features["usual_before"].value == pytest.approx(25.0 - USUAL)
    assert features["usual_room"].value == pytest.approx(USUAL)
    assert features["usual_room_change"].value == pytest.approx(0.5)
    assert person_mechanisms(usual)[0][0].estimate.recorded == ("usual", "control")


def challenge(visit, left, right, *, dorsal):
    """Rows of a cold challenge: its baseline, a figure after it; toe − dorsum before the water."""
    rows = []
    for side, tpre in (("left", left), ("right", right)):
        for toe in TOES:
            rows += [
                (visit, side, toe, "tpre", tpre, 0.5, np.nan),
                (visit, side, toe, "t0", tpre - 8.0, 0.5, np.nan),
                (visit, side, toe, "distal_dorsal_difference", dorsal, 0.15, -75.0),
                (visit, side, toe, "distal_dorsal_difference", 9.9, 0.15, 600.0),
            ]
    return rows


def challenged(*, room=USUAL, more=()):
    study = tables([], [("a", "2025-01-08", room, 2.0), ("b", "2025-02-20", room, 2.0)])
    rows = [
        *challenge("a", 25.0, 25.0, dorsal=-3.0),
        *challenge("b", 28.0, 25.0, dorsal=-1.0),
        *((*row, np.nan) for row in more),
    ]
    names = ["visit", "side", "region", "metric", "value", "u", "time_s"]
    return StudyTables(**{**vars(study), "measurements": pd.DataFrame(rows, columns=names).assign(participant="P1")})


def test_what_a_challenge_says_of_rest_before_it_counts():
    features, _, _ = person_features(challenged(), "P1")
    assert features["usual_change"].value == features["t0_change"].value == pytest.approx(3.0)
    # toe − dorsum of the baseline alone, not of minutes after the water
    assert features["usual_dorsal_change"].value == pytest.approx(2.0)
    assert person_mechanisms(challenged())[0][0].estimate.recorded == ("usual", "challenge", "control")


def test_the_picture_before_the_water_is_not_evidence_twice():
    also_still = [*rest("a", 25.0, 25.0), *rest("b", 28.0, 25.0)]
    for room in (USUAL, 21.0):  # 21 °C is a cool room for rest, and counts for a challenge
        features, _, _ = person_features(challenged(room=room, more=also_still), "P1")
        assert "usual_change" in features
        assert not any(name.startswith("cool") for name in features)


def test_a_room_that_no_simulated_patient_was_in_is_not_used():
    cold = tables(
        [*rest("a", 17.0, 17.0), *rest("b", 19.0, 17.0)],
        [("a", "2025-01-08", 15.0, 2.0), ("b", "2025-02-20", 15.0, 5.0)],
    )
    people, left_out = person_mechanisms(cold)
    assert people == ()
    assert "P1: no recording before and after in rooms alike" in left_out[0]


def test_seen_after_only_is_said(study):
    visits = study.visits[study.visits["visit"] != "w0"]
    one_sided = StudyTables(**{**vars(study), "visits": visits})
    features, _, notes = person_features(one_sided, "P1")
    assert not any(name.startswith("warm") for name in features)
    assert notes == ("warm: seen after only",)
