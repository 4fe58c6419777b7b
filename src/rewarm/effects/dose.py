"""Which digits an injection reaches, and what that makes of each region: treated, or a control in the same picture.

Sites lie at the base of digits. A web lies between two digits and counts for both, half its units each; a third of the
ball counts for the toes above it; the palm counts for all fingers. Units of different products are never added.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pandas as pd

from rewarm.regions import FINGERS, TOES

REACHED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **{digit: (digit,) for digit in (*TOES, *FINGERS)},
        **{f"web{i}": (f"toe{i}", f"toe{i + 1}") for i in range(1, 5)},
        "ball_medial": ("toe1", "toe2"),
        "ball_central": ("toe2", "toe3", "toe4"),
        "ball_lateral": ("toe4", "toe5"),
        "palm": FINGERS,
    }
)
"""Digits that a site of ``injections.csv`` counts for; other sites count for the region of their own name."""

DOSE_COLUMNS: Final = ("participant", "side", "region", "product", "date", "units_u")


def digit_doses(injections: pd.DataFrame) -> pd.DataFrame:
    """Units by person, side, region, product and day: columns :data:`DOSE_COLUMNS`, one row each.

    ``injections`` has the columns of injections.csv (``units_u`` number, ``date`` datetime64). A site that counts for
    several digits is shared evenly between them. Rows of no units (placebo) are kept, with 0.
    """
    table = injections[["participant", "side", "date", "units_u"]].copy()
    table["product"] = injections.get("product", "")
    table["region"] = [REACHED.get(str(site), (str(site),)) for site in injections["site"]]
    table["units_u"] = table["units_u"] / table["region"].map(len)
    exploded = table.explode("region")
    keys = [name for name in DOSE_COLUMNS if name != "units_u"]
    sums = exploded.groupby(keys, sort=True)["units_u"].sum()
    return sums.reset_index()[list(DOSE_COLUMNS)]


def first_injections(injections: pd.DataFrame) -> pd.Series:
    """Each person's first day of injection (placebo included), by participant."""
    return injections.groupby("participant")["date"].min()


def treated_regions(injections: pd.DataFrame) -> frozenset[tuple[str, str, str]]:
    """(participant, side, region) of every region that any active injection reached."""
    doses = digit_doses(injections[injections["units_u"] > 0])
    return frozenset(zip(doses["participant"], doses["side"], doses["region"], strict=True))
