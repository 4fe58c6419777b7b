import numpy as np
import pandas as pd
import pytest

from rewarm.effects.diary_days import Window, colour_score, day_series, local_day, outdoor_by_day, starts
from rewarm.effects.outcomes import DIARY_OUTCOMES

START = pd.Timestamp("2025-03-10")


def diary(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"participant": "P1", **columns})


def test_the_evening_abroad_belongs_to_that_evening():
    """23:30 in New York is the next day in Zürich; the diary's day is the writer's."""
    texts = pd.Series(["2025-03-09T23:30:00-04:00", "2025-03-10T08:00:00+01:00"])
    assert list(local_day(texts)) == [pd.Timestamp("2025-03-09"), pd.Timestamp("2025-03-10")]
    zoned = pd.Series(pd.to_datetime(["2025-03-09T23:30:00"])).dt.tz_localize("America/New_York")
    assert list(local_day(zoned)) == [pd.Timestamp("2025-03-09")]


def test_entries_of_a_day_are_joined_and_missing_days_stay_missing():
    table = diary(
        date=pd.to_datetime(["2025-03-08T09:00", "2025-03-08T21:00", "2025-03-10T00:00", "2025-03-12T00:00"]),
        rcs=[4.0, 6.0, 3.0, np.nan],
        attacks_n=[1.0, 2.0, 0.0, np.nan],
    )
    (rcs,) = day_series(table, DIARY_OUTCOMES["rcs"], {"P1": START})
    (attacks,) = day_series(table, DIARY_OUTCOMES["attacks_n"], {"P1": START})
    assert list(rcs.day) == [-2.0, 0.0]
    assert list(rcs.value) == [5.0, 3.0]  # the mean of a score
    assert list(attacks.value) == [3.0, 0.0]  # the sum of a count
    assert list(rcs.since_start) == [0.0, 2.0]


def test_the_day_of_the_injection_is_neither_before_nor_effect():
    table = diary(date=pd.date_range("2025-03-08", periods=100), rcs=5.0)
    (series,) = day_series(table, DIARY_OUTCOMES["rcs"], {"P1": START})
    period = dict(zip(series.day, series.period(Window(14, 84)), strict=True))
    assert [period[day] for day in (-1, 0, 13, 14, 84, 85)] == [
        *("before", "onset", "onset", "effect", "effect", "waned")
    ]


def test_the_treated_side_minus_the_other():
    table = diary(
        date=pd.to_datetime(["2025-03-08", "2025-03-08", "2025-03-09"]),
        side=["left", "right", "left"],
        pain_vas=[20.0, 50.0, 10.0],
    )
    (series,) = day_series(table, DIARY_OUTCOMES["pain_vas"], {"P1": START}, treated_side={"P1": {"left"}})
    assert list(series.value) == [-30.0]  # the 9th has one side only


def test_an_empty_colour_is_none_seen_only_where_there_was_no_attack():
    colours = pd.Series(["white;blue", "", "", "red"])
    assert colour_score(colours).tolist() == pytest.approx([2, np.nan, np.nan, 1], nan_ok=True)
    attacks = pd.Series([2.0, 0.0, 3.0, 1.0])
    assert colour_score(colours, attacks).tolist() == pytest.approx([2, 0, np.nan, 1], nan_ok=True)


def test_the_weather_is_joined_between_visits_but_not_over_half_a_year():
    visits = pd.DataFrame(
        {
            "date": pd.to_datetime(["2025-01-01", "2025-01-11", "2025-08-01"]),
            "outdoor_mean_c": [0.0, 10.0, 25.0],
        }
    )
    by_day = outdoor_by_day(visits)
    assert by_day[pd.Timestamp("2025-01-06")] == pytest.approx(5.0)
    assert np.isnan(by_day[pd.Timestamp("2025-04-01")])
    assert outdoor_by_day(visits.drop(columns="outdoor_mean_c")).empty


def test_the_first_injection_is_the_start_whatever_was_in_it():
    injections = pd.DataFrame(
        {
            "participant": ["P1", "P1", "P2"],
            "date": pd.to_datetime(["2025-05-01", "2025-03-10", "2025-04-01"]),
            "units_u": [10.0, 10.0, 0.0],
        }
    )
    assert starts(injections) == {"P1": START, "P2": pd.Timestamp("2025-04-01")}
