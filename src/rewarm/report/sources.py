"""Methods that every report rests on, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Source:
    """A method in a sentence, and where it is described; ``doi`` "" where there is none."""

    text: str
    reference: str
    doi: str = ""


SOURCES: Final = (
    Source(
        "Temperatures from a camera’s raw counts follow the maker’s formula, with emissivity, reflected temperature "
        "and air path.",
        "Formula as published with IRimage, Pereyra Irujo 2022",
        "10.7717/peerj-cs.977",
    ),
    Source(
        "The uncertainty u is one standard uncertainty, combined from parts that one picture shares and parts that it "
        "does not.",
        "Guide to the expression of uncertainty in measurement, JCGM 100:2008",
        "10.59161/JCGM100-2008E",
    ),
    Source(
        "The smallest detectable change is 1.96 u, from measurement alone: a change beyond it differs from zero at "
        "95\N{NO-BREAK SPACE}%. How people vary from day to day comes on top of it. For averages over toes, u is the "
        "average of the toes’ u, as if all errors were shared.",
        "JCGM 100:2008, section 5.2.2 (correlated inputs)",
        "10.59161/JCGM100-2008E",
    ),
    Source(
        "Differences inside one picture are far more exact than a camera’s absolute temperatures, because its error "
        "is shared.",
        "Left–right differences of a phone camera, 2026",
        "10.3390/s26041295",
    ),
    Source(
        "How repeatable the figures of a cold challenge are from day to day: of fingers; for toes nothing is "
        "published.",
        "159 people with Raynaud’s phenomenon, Wilkinson et al. 2018",
        "10.1002/art.40457",
    ),
    Source(
        "Times to recovery that were not reached count as long as they were watched.",
        "Kaplan and Meier 1958",
        "10.1080/01621459.1958.10501452",
    ),
    Source("What healthy soles look like.", "Temperatures of 16 healthy soles, 2015", "10.1155/2015/831369"),
    Source(
        "How thermal pictures of skin should be taken.",
        "TISEM consensus, Moreira et al. 2017",
        "10.1016/j.jtherbio.2017.07.006",
    ),
    Source(
        "People who join at a bad time improve without treatment too.",
        "Placebo arms of Raynaud trials, 2022",
        "10.1016/j.semarthrit.2022.152087",
    ),
    Source(
        "Raynaud symptoms follow the weather.",
        "2,243 people and outdoor temperature, 2024",
        "10.1016/S2665-9913(24)00189-9",
    ),
    Source("Dry skin is warmer without more blood in it.", "Botulinum toxin and sweating, PMC3705293"),
    Source("The colour-blind-safe colours.", "Cividis, Nuñez et al. 2018", "10.1371/journal.pone.0199239"),
)
