"""The study folder's tables, declared once: every column's kind, unit, range, vocabulary and meaning.

Nothing here reads or checks; :mod:`rewarm.study.columns` and :mod:`rewarm.study.folder` do, and a data dictionary can
be printed from :data:`TABLES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from rewarm.regions import ANGIOSOMES, FOOT_REGIONS, HAND_REGIONS, LIMBS, PHASES, SIDES, VIEWS, WHOLE_LIMBS
from rewarm.tables import METRICS

Daily = Literal["", "sum", "mean", "worst", "joined"]
"""How several entries of one day become one: added, averaged, the highest, all words; "" where it does not apply."""

Kind = Literal["text", "id", "file_id", "path", "word", "words", "date", "number", "integer", "yes_no", "box"]

CONDITIONS: Final = ("primary_raynaud", "secondary_raynaud", "forefoot_pain", "healthy", "other")
FOOT_SITES: Final = (
    *("toe1", "toe2", "toe3", "toe4", "toe5", "web1", "web2", "web3", "web4"),
    *("ball_medial", "ball_central", "ball_lateral", "arch", "heel"),
)
HAND_SITES: Final = ("finger1", "finger2", "finger3", "finger4", "finger5", "palm")
INJECTION_SITES: Final = (*FOOT_SITES, *HAND_SITES)
COLOURS: Final = ("white", "blue", "red")
MEASURED_REGIONS: Final = (*FOOT_REGIONS, *HAND_REGIONS, *ANGIOSOMES, *WHOLE_LIMBS)
DESIGNS: Final = ("case_series", "split_limb", "parallel", "n_of_1")
CONTROLS: Final = ("none", "untreated_limb", "untreated_region", "placebo")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    ``required`` means that the column and a value in every row must be there. Outside ``low`` .. ``high`` a value is
    an error, outside ``usual_low`` .. ``usual_high`` a warning; ``low_open`` excludes ``low`` itself. ``open`` makes a
    word outside ``vocabulary`` a warning instead of an error.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    unit: str = ""
    vocabulary: tuple[str, ...] = ()
    open: bool = False
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    usual_low: float | None = None
    usual_high: float | None = None
    daily: Daily = ""


@dataclass(frozen=True)
class Table:
    """One file of a study folder; no two rows may share the values of ``key`` (empty: rows may repeat)."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The file's name in the study folder."""
        return f"{self.name}.csv"

    def column(self, name: str) -> Column:
        """The declaration of a column; KeyError where there is none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


_PARTICIPANT = Column("participant", "id", "who, as in participants.csv", required=True)
_VISIT = Column("visit", "id", "which visit, as in visits.csv", required=True)
_NOTES = Column("notes", "text", "anything else")
_SIDE = Column("side", "word", "the person's own left or right", vocabulary=SIDES)

PARTICIPANTS: Final = Table(
    "participants",
    "one row a person",
    (
        Column("participant", "id", "the person's code, never a name", required=True),
        Column("sex", "text", "as recorded by the clinic"),
        Column("birth_year", "integer", "year of birth", low=1900, high=2100),
        Column("condition", "word", "why the person is here", required=True, vocabulary=CONDITIONS),
        Column("underlying", "text", "underlying disease, e.g. systemic_sclerosis"),
        Column("prior_treatments", "text", "earlier treatments, separated by semicolons"),
        Column("arm", "text", "the group a person was allocated to"),
        _NOTES,
    ),
    key=("participant",),
)

VISITS: Final = Table(
    "visits",
    "one row a visit of a person",
    (
        _PARTICIPANT,
        Column("visit", "id", "the visit's code, e.g. baseline or week06", required=True),
        Column("date", "date", "the day of the visit", required=True),
        Column(
            "ambient_c",
            "number",
            "room temperature",
            required=True,
            unit="°C",
            low=-40,
            high=60,
            usual_low=5,
            usual_high=45,
        ),
        Column("humidity_pct", "number", "relative humidity of the room", unit="%", low=0, high=100, usual_low=5),
        Column("settling_min", "number", "time in the room before the first picture", unit="min", low=0),
        Column("outdoor_mean_c", "number", "mean outdoor temperature of the day", unit="°C", low=-90, high=60),
        Column("recent_exercise", "yes_no", "exercise shortly before the visit"),
        Column("recent_smoking", "yes_no", "smoking shortly before the visit"),
        Column("recent_caffeine", "yes_no", "coffee, tea or cola shortly before the visit"),
        _NOTES,
    ),
    key=("participant", "visit"),
)

SCANS: Final = Table(
    "scans",
    "one row a picture or recording",
    (
        _PARTICIPANT,
        _VISIT,
        Column("scan", "file_id", "the scan's code; names its output files", required=True),
        Column("file", "path", "the recording, relative to the study folder", required=True),
        Column("limb", "word", "what is in the picture", required=True, vocabulary=LIMBS),
        Column("view", "word", "from where it is seen", required=True, vocabulary=VIEWS),
        Column("phase", "word", "at rest, or rewarming after a cold challenge", required=True, vocabulary=PHASES),
        Column("time_s", "number", "time since the end of the cold immersion", unit="s", low=0, usual_high=14400),
        Column("camera", "text", "the camera's ID, as in study.toml"),
        Column("distance_m", "number", "camera to skin", unit="m", low=0, low_open=True, usual_low=0.1, usual_high=10),
        Column("emissivity", "number", "emissivity of the skin", unit="1", low=0, low_open=True, high=1, usual_low=0.9),
        Column(
            "reflected_c",
            "number",
            "reflected apparent temperature",
            unit="°C",
            low=-273.15,
            high=500,
            usual_low=-40,
            usual_high=60,
        ),
        Column(
            "reference_c",
            "number",
            "known temperature of a black body in view",
            unit="°C",
            low=-40,
            high=120,
            usual_low=5,
            usual_high=60,
        ),
        Column("reference_box", "box", "where it is in the picture: x0;y0;x1;y1", unit="px"),
    ),
    key=("scan",),
)

MEASUREMENTS_IN: Final = Table(
    "measurements",
    "measurements made elsewhere, in the columns of rewarm's own output",
    (
        _PARTICIPANT,
        _VISIT,
        Column("scan", "text", "which scan"),
        Column("time_s", "number", "time since the end of the cold immersion", unit="s", low=0),
        _SIDE,
        Column("region", "word", "where", required=True, vocabulary=MEASURED_REGIONS, open=True),
        Column("metric", "text", "what was measured", required=True),
        Column("value", "number", "the figure", required=True),
        Column("unit", "text", "its unit", required=True),
        Column("u", "number", "standard uncertainty (k = 1), in the same unit", low=0),
        Column("n_px", "number", "pixels that the figure rests on", unit="px", low=0),
        Column("method", "text", "how it was measured"),
        Column("software", "text", "by what"),
    ),
)

INJECTIONS: Final = Table(
    "injections",
    "one row an injected site",
    (
        _PARTICIPANT,
        Column("date", "date", "the day of the injection", required=True),
        Column("side", "word", "the person's own left or right", required=True, vocabulary=SIDES),
        Column("site", "word", "where", required=True, vocabulary=INJECTION_SITES, open=True),
        Column("product", "text", "the product's name; units of products are not interchangeable", required=True),
        Column("units_u", "number", "dose at this site", required=True, unit="U", low=0, usual_high=200),
        Column("volume_ml", "number", "volume at this site", unit="mL", low=0, usual_high=10),
        Column("concentration_u_per_ml", "number", "dilution", unit="U/mL", low=0),
        Column("injections_n", "integer", "punctures at this site", low=0),
        Column("depth", "text", "how deep"),
        Column("guidance", "text", "by hand, ultrasound, ..."),
        Column("operator", "text", "who injected"),
    ),
)

DIARY: Final = Table(
    "diary",
    "one row a day of a person (and side), or several with their times",
    (
        _PARTICIPANT,
        Column("date", "date", "the day; with time and UTC offset where a day has several entries", required=True),
        _SIDE,
        Column("rcs", "number", "Raynaud's condition score", low=0, high=10, daily="mean"),
        Column("attacks_n", "integer", "attacks", low=0, usual_high=100, daily="sum"),
        Column("attack_minutes", "number", "their minutes, all together", unit="min", low=0, high=1440, daily="sum"),
        Column("pain_vas", "number", "worst pain, visual analogue scale", low=0, high=100, daily="worst"),
        Column("numbness", "text", "numbness", daily="joined"),
        Column("tingling", "text", "tingling", daily="joined"),
        Column("colour_change", "words", "colours seen", vocabulary=COLOURS, daily="joined"),
        Column("cold_intolerance", "number", "cold intolerance", low=0, high=100, daily="mean"),
        Column("swelling_mm", "number", "swelling by tape", unit="mm", usual_low=-100, usual_high=1000, daily="mean"),
        Column("heel_hours", "number", "hours in heels", unit="h", low=0, high=24, daily="sum"),
        Column(
            "heel_height_mm", "number", "height of the heels; of several entries a day the mean, weighted by hours",
            unit="mm", low=0, usual_high=250, daily="mean",
        ),
        Column("steps", "integer", "steps", low=0, usual_high=100_000, daily="sum"),
        Column("ulcers_n", "integer", "ulcers", low=0, usual_high=40, daily="worst"),
        Column("medication_change", "text", "what was changed; none where nothing was", daily="joined"),
    ),
    key=("participant", "date", "side"),
)  # fmt: skip

EVENTS: Final = Table(
    "events",
    "one row an adverse event",
    (
        _PARTICIPANT,
        Column("date", "date", "when it began", required=True),
        Column("term", "text", "what happened", required=True),
        Column("severity", "integer", "1 mild to 5 death", required=True, low=1, high=5),
        Column("relatedness", "text", "relation to the treatment"),
        Column("resolved_date", "date", "when it was over"),
        _NOTES,
    ),
)

TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {table.name: table for table in (PARTICIPANTS, VISITS, SCANS, MEASUREMENTS_IN, INJECTIONS, DIARY, EVENTS)}
)
"""Every table of a study folder, by name; the file is ``NAME.csv``."""

REQUIRED_TABLES: Final = ("participants", "visits")
INSTEAD_OF_SCANS: Final = ("measurements", "diary")
"""Either stands in for scans.csv."""

OUTCOME_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {name: unit for name, (unit, _) in METRICS.items()}
    | {
        column.name: column.unit or "1"
        for column in DIARY.columns
        if column.kind in ("number", "integer") or column.name == "colour_change"
    }
)
"""Everything that ``[outcomes]`` of study.toml may name, and its unit."""
