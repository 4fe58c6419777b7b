from __future__ import annotations

from math import isnan

import pandas as pd
import pytest

from rewarm.errors import InvalidInputError
from rewarm.measures import compare_measurements, measure, smallest_detectable_changes
from rewarm.measures.detectable import PUBLISHED, person_sdc


@pytest.fixture
def table(make_picture, two_feet) -> pd.DataFrame:
    picture, regions = two_feet
    return compare_measurements(*(measure(make_picture(each), regions) for each in (picture, picture + 1.0)))


def test_measurement_and_person_are_kept_apart(table):
    found = {item.metric: item for item in smallest_detectable_changes(table)}
    mean = found["mean"]
    rows = table[table["metric"] == "mean"]
    assert (mean.n, mean.measurement) == (len(rows), rows["sdc"].median())
    assert mean.lowest <= mean.measurement <= mean.highest
    assert mean.person_sd is None
    dynamic = found["log_auc"]
    assert (dynamic.n, isnan(dynamic.measurement)) == (0, True)
    assert dynamic.person_sd == pytest.approx(1.96 * (2 * (1 - 0.68)) ** 0.5, rel=1e-3)
    assert dynamic.person_sd_low < dynamic.person_sd < dynamic.person_sd_high


def test_the_published_ones_lie_where_the_literature_has_them():
    """1.5–1.8 standard deviations between people; of fingers, which every entry says."""
    assert [round(person_sdc(item.icc), 1) for item in PUBLISHED] == [1.8, 1.6, 1.5, 1.8]
    assert all(item.doi and "not toes" in item.of_whom for item in PUBLISHED)


def test_a_perfect_repeat_detects_everything():
    assert person_sdc(1.0) == 0.0
    with pytest.raises(InvalidInputError, match="expected a figure from 0 to 1; found 58"):
        person_sdc(58.0)


def test_other_tables_are_refused(table):
    with pytest.raises(InvalidInputError, match="missing metric, sdc"):
        smallest_detectable_changes(table.drop(columns=["metric", "sdc"]))
