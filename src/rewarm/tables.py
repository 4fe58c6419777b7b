"""The tables that rooms hand to each other and to the outside: their columns, in order, and what each means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MEASUREMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "participant": "who, as in participants.csv",
        "visit": "which visit, as in visits.csv",
        "scan": "which scan, as in scans.csv, or the file's name",
        "time_s": "seconds since the end of the cold immersion; empty at rest",
        "side": "left or right, the person's own; empty for a difference between the sides",
        "region": "word of the anatomical vocabulary",
        "metric": "what was measured: mean, median, sd, p5, p95, area, pixels, distal_proximal_difference, ...",
        "value": "the figure, in `unit`",
        "unit": "degC, delta_degC, mm2, px or 1; of rewarming also s, degC/min, degC min, percent, degC2",
        "u": "standard uncertainty of `value`, in the same unit (k = 1); empty where none applies",
        "n_px": "pixels that the figure rests on",
        "method": "how: finder or person, and what was assumed",
        "software": "rewarm's name and version",
    }
)
"""One row a figure: scan × side × region × metric."""

METRICS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "mean": ("degC", "mean temperature of the region"),
        "median": ("degC", "median temperature of the region"),
        "sd": ("delta_degC", "standard deviation of the temperatures in the region"),
        "p5": ("degC", "5th percentile of the temperatures in the region"),
        "p95": ("degC", "95th percentile of the temperatures in the region"),
        "area": ("mm2", "area of the region as seen"),
        "pixels": ("px", "pixels of the region"),
        "distal_proximal_difference": ("delta_degC", "digit − arch or palm: negative where digits are colder"),
        "distal_dorsal_difference": ("delta_degC", "digit − dorsum: negative where digits are colder"),
        "left_right_difference": ("delta_degC", "left − right of the same region"),
        "tci": ("delta_degC", "thermal change index over the four plantar angiosomes"),
        "tpre": ("degC", "before the cold immersion"),
        "t0": ("degC", "first after the cold immersion"),
        "tmin": ("degC", "lowest after the cold immersion"),
        "rewarming_max": ("degC", "highest while rewarming"),
        "lag": ("s", "from the end of the immersion until the rise begins; censored where lag_reached is 0"),
        "lag_reached": ("1", "whether a rise began (1), or was only waited for so long (0)"),
        "max_gradient": ("degC/min", "steepest rise over 60 s"),
        "gradient_2min": ("degC/min", "mean rise over the first 2 minutes"),
        "auc": ("degC min", "area between the course and tmin over the first 15 minutes"),
        "recovery_5min": ("percent", "share of the fall made good after 5 minutes"),
        "recovery_10min": ("percent", "share of the fall made good after 10 minutes"),
        "recovery_15min": ("percent", "share of the fall made good after 15 minutes"),
        "t25": ("s", "until a quarter of the fall was made good; censored where t25_reached is 0"),
        "t25_reached": ("1", "whether t25 was reached (1), or only followed so long (0)"),
        "t50": ("s", "until half of the fall was made good; censored where t50_reached is 0"),
        "t50_reached": ("1", "whether t50 was reached (1), or only followed so long (0)"),
        "t100": ("s", "until all of the fall was made good; censored where t100_reached is 0"),
        "t100_reached": ("1", "whether t100 was reached (1), or only followed so long (0)"),
        "time_constant": ("s", "of the exponential fit"),
        "vasomotion_power": ("degC2", "power of the slow oscillations, 0.005 to 0.05 Hz"),
        "perfusion_index": ("1", "estimate: heat brought by blood over heat taken by air, per kelvin"),
        "flow": ("mL/100 mL/min", "estimate of the blood flow that explains the temperatures"),
        "flow_needed": ("1", "whether the course cannot be had without blood flow (1), or can (0)"),
    }
)
"""Every metric that rewarm knows: its unit and what it is. Tables made elsewhere may hold others."""

COMPARISON: Final[Mapping[str, str]] = MappingProxyType(
    {
        "participant": "who",
        "visit_before": "the visit compared with",
        "visit_after": "the visit compared",
        "scan_before": "its scan",
        "scan_after": "its scan",
        "side": "left or right; empty for a difference between the sides",
        "region": "word of the anatomical vocabulary",
        "metric": "the metric that changed: mean, distal_proximal_difference, left_right_difference, ...",
        "before": "its value before",
        "after": "its value after",
        "change": "after − before: positive is warmer, of a time later",
        "unit": "unit of before and after (the change of a degC is a delta_degC)",
        "u": "standard uncertainty of the change (k = 1)",
        "sdc": "smallest detectable change at 95 %: 1.96 u, from measurement alone",
        "detectable": "whether |change| exceeds sdc",
        "room_change": "room temperature after − before, °C; empty where unknown",
        "censored": "before, after or both: that time was not reached, its figure is how long it was followed, and "
        "change, u and sdc are empty; empty otherwise",
    }
)
"""One row a change: two scans × side × region × metric."""

AGREEMENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "participant": "who was pictured; empty for a figure over several scans",
        "visit": "which visit; empty for a figure over several scans",
        "scan": "which scan both readers marked; empty for a figure over several scans",
        "reader_1": "AUTHOR of annotations/SCAN.AUTHOR.geojson, or `used` for SCAN.geojson",
        "reader_2": "the other reader",
        "side": "left or right; empty for a figure over both",
        "region": "word of the anatomical vocabulary, or `toes` for all toes together",
        "metric": "dice, mean_difference (reader_2 − reader_1), or icc_2_1 (of the toes' mean temperatures)",
        "value": "the figure, in `unit`",
        "lower": "lower end of its confidence interval; empty where none applies",
        "upper": "upper end",
        "level": "level of the interval, 0.95",
        "n": "what the figure rests on: pixels of either reader (dice), or toes (icc_2_1)",
        "unit": "1 or delta_degC",
    }
)
"""One row a figure: two readers × scan × side × region × metric."""

CURVES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "time_s": "seconds since the end of the cold immersion",
        "side": "left or right, the person's own",
        "region": "word of the anatomical vocabulary",
        "celsius": "mean temperature of the region, °C; empty where the picture was left out",
        "u": "its standard uncertainty, °C (k = 1); most of it moves a whole curve up or down",
        "used": "1, or 0 where the picture was left out",
        "reason": "why it was left out; empty where it was used",
    }
)
"""One row a figure of a rewarming: time × side × region, the file being named as its scan."""

SMALLEST_DETECTABLE_FACTOR: Final = 1.959963984540054
"""97.5th percentile of the normal distribution: a change beyond it differs from zero at 95 %, two-sided."""
