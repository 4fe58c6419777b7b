"""Small studies whose truth is known, as tables of a study folder; written apart from the estimators."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

TOES = ("toe1", "toe2", "toe3", "toe4", "toe5")


@dataclass(frozen=True, eq=False)
class World:
    """Tables as :func:`rewarm.study.check_study` types them."""

    participants: pd.DataFrame
    visits: pd.DataFrame
    injections: pd.DataFrame
    measurements: pd.DataFrame


def world(
    *,
    seed: int = 1,
    people: int = 3,
    controls: int = 0,
    treated_sides: tuple[str, ...] = ("left", "right"),
    days: tuple[int, ...] = (-21, 0, 14, 42, 90, 150),
    effect_c: float = 2.0,
    lasts: float = 120.0,
    season_c: float = 0.0,
    day_sd_c: float = 0.3,
    u: float = 0.2,
) -> World:
    """``effect_c`` from day 1 until ``lasts`` in the treated toes; ``season_c`` warmer outdoors' warmth after day 0."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2025-02-03")
    visits, rows, injections = [], [], []
    for i in range(people + controls):
        who = f"P{i + 1:02d}"
        sides = treated_sides if i < people else ()
        injections += [(who, start, side, toe, "A", 2.0) for side in sides for toe in TOES]
        base = rng.normal(25, 1)
        for number, day in enumerate(days):
            room, later = 22.5 + rng.normal(0, 0.4), day > 0
            visits.append((who, f"V{number}", start + pd.Timedelta(days=day), room, 3.0 + 10.0 * later))
            shared = rng.normal(0, day_sd_c) + season_c * later
            for side in ("left", "right"):
                wobble = rng.normal(0, 0.1)
                for toe in TOES:
                    effect = effect_c * (0 < day <= lasts) * (side in sides)
                    value = base + shared + wobble + effect + 0.8 * (room - 22.5) + rng.normal(0, 0.2)
                    rows.append((who, f"V{number}", f"{who}V{number}", np.nan, side, toe, "mean", value, "degC", u))
    return World(
        pd.DataFrame({"participant": [f"P{i + 1:02d}" for i in range(people + controls)]}),
        pd.DataFrame(visits, columns=["participant", "visit", "date", "ambient_c", "outdoor_mean_c"]),
        pd.DataFrame(injections, columns=["participant", "date", "side", "site", "product", "units_u"]),
        pd.DataFrame(
            rows,
            columns=["participant", "visit", "scan", "time_s", "side", "region", "metric", "value", "unit", "u"],
        ),
    )
