"""What a change can be at most on an outcome's scale."""

from math import isnan, nan

import pytest

from rewarm.effects.outcomes import DIARY_OUTCOMES, within_scale


@pytest.mark.parametrize(
    ("name", "before", "figures", "cut"),
    [
        ("pain_vas", 34.0, (-12.0, -40.0, 5.0), (-12.0, -34.0, 5.0)),
        ("pain_vas", 90.0, (4.0, -3.0, 25.0), (4.0, -3.0, 10.0)),
        ("rcs", 2.0, (-3.0, -5.0, 1.0), (-2.0, -2.0, 1.0)),
        ("attacks_n", 1.5, (-0.5, -2.5, 40.0), (-0.5, -1.5, 40.0)),
        ("colour_change", 2.0, (-0.4, -1.3, 0.2), (-0.4, -1.0, 0.2)),
        ("swelling_mm", 4.0, (-9.0, -30.0, 3.0), (-9.0, -30.0, 3.0)),
    ],
)
def test_intervals_end_where_the_scale_does(name, before, figures, cut):
    assert within_scale(figures, DIARY_OUTCOMES[name], before) == pytest.approx(cut)


def test_what_is_not_known_stays_unknown():
    assert all(isnan(value) for value in within_scale((nan, nan, nan), DIARY_OUTCOMES["pain_vas"], 30.0))
