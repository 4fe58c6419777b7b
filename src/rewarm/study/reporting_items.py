"""What protocols and reports must say: the items of SPIRIT 2013, CENT 2015 and SCRIBE 2016, by number and topic.

Topics are named in our own words; the guidelines' own texts are behind the sources and must be read there. Of CENT, which extends
CONSORT 2010, only the items are listed that concern single patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SPIRIT 2013": "doi 10.7326/0003-4819-158-3-201302-00583",
        "CENT 2015": "doi 10.1136/bmj.h1738; explained in doi 10.1136/bmj.h1793",
        "SCRIBE 2016": "doi 10.1016/j.jsp.2016.04.001",
    }
)
"""Each guideline and where it was published."""


@dataclass(frozen=True)
class ReportingItem:
    """One item: which guideline, its number there, what it is about, and which of our answers fills it ("": a person must)."""

    guideline: str
    number: str
    topic: str
    answer: str = ""


def _items(guideline: str, *rows: tuple[str, str] | tuple[str, str, str]) -> tuple[ReportingItem, ...]:
    return tuple(ReportingItem(guideline, *row) for row in rows)


SPIRIT: Final = _items(
    "SPIRIT 2013",
    ("1", "Title: design, population, interventions", "title"),
    ("2a", "Registration: identifier and registry"),
    ("2b", "Registration: the WHO's registration data set"),
    ("3", "Protocol: date and version"),
    ("4", "Funding and other support"),
    ("5a", "Who contributed to the protocol, and how"),
    ("5b", "Sponsor and contact"),
    ("5c", "Role of sponsor and funders"),
    ("5d", "Committees and other groups that oversee the trial"),
    ("6a", "Background: the question, why it is asked, what is known of benefits and harms"),
    ("6b", "Why this comparator", "comparator"),
    ("7", "Objectives or hypotheses", "objective"),
    ("8", "Trial design: type, allocation ratio, framework", "design"),
    ("9", "Setting and places"),
    ("10", "Eligibility of participants, and of those who inject"),
    ("11a", "Interventions in enough detail to be repeated"),
    ("11b", "When an intervention is stopped or changed"),
    ("11c", "How adherence is improved and watched"),
    ("11d", "Which other care is permitted or forbidden"),
    ("12", "Outcomes: variable, metric, summary, time point; why they matter", "outcome"),
    ("13", "Timeline of enrolment, interventions and visits", "timeline"),
    ("14", "Sample size and how it was found", "sample_size"),
    ("15", "Recruitment: how the size will be reached"),
    ("16a", "Allocation: how the sequence was made, factors of strata", "allocation"),
    ("16b", "Allocation: how it is concealed", "concealment"),
    ("16c", "Allocation: who makes it, who enrols, who assigns"),
    ("17a", "Masking: who is masked, and how", "masking"),
    ("17b", "Masking: when and how it may be broken"),
    ("18a", "Data: how they are collected, quality of the instruments", "data"),
    ("18b", "Data: how people are kept in follow-up"),
    ("19", "Data management: entry, coding, security, storage"),
    ("20a", "Statistics: primary and secondary outcomes", "analysis"),
    ("20b", "Statistics: further analyses, subgroups, adjustment", "further_analysis"),
    ("20c", "Statistics: who is analysed, missing data", "missing"),
    ("21a", "Monitoring: the data monitoring committee, or why there is none"),
    ("21b", "Monitoring: interim analyses and stopping", "interim"),
    ("22", "Harms: how they are collected, judged, reported", "harms"),
    ("23", "Auditing"),
    ("24", "Ethics approval"),
    ("25", "How changes of the protocol are made known"),
    ("26a", "Consent: who asks for it, and how"),
    ("26b", "Consent for further use of data and specimens"),
    ("27", "Confidentiality"),
    ("28", "Declared interests"),
    ("29", "Who has access to the final data"),
    ("30", "Care after the trial, compensation for harm"),
    ("31a", "Dissemination of results"),
    ("31b", "Authorship"),
    ("31c", "Public access to protocol, data and code"),
    ("32", "Appendix: consent form and other papers for participants"),
    ("33", "Appendix: biological specimens"),
)

CENT: Final = _items(
    "CENT 2015",
    ("1a", "Title: named as an N-of-1 trial, or a series of them", "title"),
    ("2a", "Why an N-of-1 approach", "why_single"),
    ("3a", "Design: planned periods and their duration, run-in and wash-out; for a series, what is individual", "design"),
    ("4a", "Participants: diagnosis and its criteria, other conditions and treatments"),
    ("5", "Interventions of each period, in enough detail to be repeated"),
    ("6a", "Outcomes, and how well their instruments measure", "outcome"),
    ("8a", "Whether the order of periods was randomised, and the sequence", "allocation"),
    ("11a", "Masking", "masking"),
    ("12b", "For a series: how individual results are put together", "analysis"),
    ("12c", "Carry-over, period effects, and dependence of observations within a person", "dependence"),
    ("17a", "Results of each period, for each participant"),
    ("19", "Harms in each period", "harms"),
)

SCRIBE: Final = _items(
    "SCRIBE 2016",
    ("1", "Title: a single-case experimental design", "title"),
    ("2", "Abstract"),
    ("3", "Scientific background"),
    ("4", "Aims, questions and hypotheses", "objective"),
    ("5", "Design, phases and their sequence, criteria for changing phase", "design"),
    ("6", "Changes of procedure after the start"),
    ("7", "Planned replication", "replication"),
    ("8", "Randomisation: whether, how, of what", "allocation"),
    ("9", "Masking: whether, of whom", "masking"),
    ("10", "Selection criteria and recruitment"),
    ("11", "Each participant's characteristics"),
    ("12", "Setting"),
    ("13", "Ethics approval and consent"),
    ("14", "Measures: what, how, how often, how well", "outcome"),
    ("15", "Equipment"),
    ("16", "Intervention and control in each phase"),
    ("17", "Procedural fidelity"),
    ("18", "Analyses", "analysis"),
    ("19", "Sequence completed by each participant"),
    ("20", "Outcomes and estimation for each participant"),
    ("21", "Adverse events", "harms"),
    ("22", "Interpretation"),
    ("23", "Limitations"),
    ("24", "Applicability"),
    ("25", "Where the protocol is"),
    ("26", "Funding"),
)


def items_for(kind: str) -> tuple[ReportingItem, ...]:
    """The items that a design calls for: SPIRIT for every protocol, CENT and SCRIBE for single patients besides."""
    return (*SPIRIT, *CENT, *SCRIBE) if kind == "n_of_1" else SPIRIT
