"""What is to be done with one recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rewarm.measures import DEFAULT_ASSUMPTIONS, Assumptions, Circumstances
from rewarm.thermogram import ObjectParameters


@dataclass(frozen=True)
class ScanPlan:
    """What is to be done with one file, and what is known of it from elsewhere.

    ``parameters`` override the file's own. With ``lenient`` they also may be given for a file of finished
    temperatures, which then keeps its temperatures and is described by them (a study states its room and skin once, for
    whatever its cameras wrote); without it such a file is refused. ``camera`` holds what is known of the camera by the
    keys of the image contract: ``accuracy_c`` and ``netd_mk`` win over the file's, ``camera_model`` fills a gap.
    ``reference_box`` is x0, y0, x1, y1 in pixels. ``circumstances`` is what people wrote down beside the picture; room
    and humidity, where it holds none, are taken from ``ambient_c`` and ``parameters``. ``assumptions`` are what the
    uncertainty takes for granted, ``stated_in`` says where a value of the picture's that is not its file's own was
    stated (name → "scans.csv", …). ``time_s`` of a recording is the second of the frame that is wanted at rest, and
    when its first frame was taken, in seconds since the end of the immersion, while rewarming.
    """

    path: Path
    scan: str
    limb: str = "feet"
    view: str = "plantar"
    phase: str = "rest"
    participant: str = ""
    visit: str = ""
    date: date | None = None
    time_s: float | None = None
    ambient_c: float | None = None
    parameters: ObjectParameters = field(default_factory=ObjectParameters)
    lenient: bool = False
    camera: Mapping[str, Any] = field(default_factory=dict)
    reference_c: float | None = None
    reference_box: tuple[float, float, float, float] | None = None
    corrections: Path | None = None
    circumstances: Circumstances = field(default_factory=Circumstances)
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS
    stated_in: Mapping[str, str] = field(default_factory=dict)
