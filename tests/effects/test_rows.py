"""The contract of effects.csv."""

from dataclasses import replace
from math import nan

import pytest

from rewarm.effects.rows import EFFECTS, THREATS, Effect, decode_threats, effects_table, encode_threats
from rewarm.errors import InvalidInputError

ROW = Effect(
    who="P01", side="left", region="toes", outcome="mean", estimand="effect_vs_control", estimate=2.0, lower=1.0,
    upper=3.0, unit="delta_degC", probability=0.99, n=6, design="controlled",
    threats={"room": "excluded", "season": "present"},
)  # fmt: skip


def test_table_has_the_columns_of_the_contract_in_order():
    table = effects_table([ROW])
    assert list(table.columns) == list(EFFECTS)
    assert table.loc[0, "threats"] == "season:present;room:excluded"
    assert (table["level"].dtype, table["n"].dtype) == ("float64", "int64")


def test_table_of_nothing_has_its_columns():
    assert list(effects_table([]).columns) == list(EFFECTS)


def test_threats_survive_the_way_there_and_back():
    threats = dict.fromkeys(THREATS, "unknown")
    assert decode_threats(encode_threats(threats)) == threats
    assert decode_threats("") == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"estimand": "efficacy"}, "estimand: expected one of change_from_baseline.*found 'efficacy'"),
        ({"design": "gold"}, "design: expected one of randomised_controlled.*found 'gold'"),
        ({"side": "both"}, "side: expected left, right or nothing; found 'both'"),
        ({"probability": 1.2}, "probability: expected 0 to 1; found 1.2"),
        ({"lower": 2.5}, r"expected an estimate inside its interval; found 2 in \[2.5, 3\]"),
        ({"level": 90.0}, "level: expected a probability between 0 and 1; found 90"),
        ({"threats": {"weather": "present"}}, "threat: expected one of season, .*found 'weather'"),
        ({"threats": {"season": "maybe"}}, "threat season: expected one of present, excluded, unknown; found 'maybe'"),
    ],
)
def test_words_outside_the_contract_are_refused(change, message):
    with pytest.raises(InvalidInputError, match=message):
        effects_table([replace(ROW, **change)])


def test_a_censored_end_is_no_error():
    assert effects_table([replace(ROW, upper=nan)])["upper"].isna().all()


@pytest.mark.parametrize("text", ["season", "season:present;;room"])
def test_broken_threats_are_told(text):
    with pytest.raises(InvalidInputError, match="expected name:status joined by ;"):
        decode_threats(text)
