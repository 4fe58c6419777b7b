"""Single scans without a study: found, measured, written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from rewarm.errors import InvalidInputError, RewarmError
from rewarm.regions import PHASES
from rewarm.study.outputs import gather_measurements, write_scans
from rewarm.study.results import Rewarming, ScanResult
from rewarm.study.rewarming import with_rewarmings
from rewarm.study.scan import measure_scan
from rewarm.study.scan_ids import scan_ids
from rewarm.study.scan_plan import ScanPlan
from rewarm.study.staging import staged_output
from rewarm.thermogram import ObjectParameters


def measure_files(
    files: Sequence[str | Path],
    output: str | Path,
    *,
    limb: str = "feet",
    view: str = "plantar",
    phase: str = "rest",
    time_s: float | None = None,
    corrections: str | Path | None = None,
    emissivity: float | None = None,
    reflected_c: float | None = None,
    distance_m: float | None = None,
    humidity_pct: float | None = None,
    air_c: float | None = None,
) -> pd.DataFrame:
    """Measure recordings; write measurements.csv and .parquet, checks.csv, regions/ and run.json into ``output``.

    ``corrections`` is a folder of SCAN.geojson (a scan being named as its file, without suffix), or one such file
    where there is one recording. With ``phase="rewarming"`` recordings of many frames also give the figures of a cold
    challenge, curves/ and maps/; ``time_s`` is then when the first frame was taken, in seconds since the end of the
    immersion. Returns the table (columns of :data:`rewarm.tables.MEASUREMENTS`); its
    ``attrs["warnings"]`` are sentences a person should read. Where regions are only proposed it may have no rows.

    Raises :class:`InvalidInputError` (all files' troubles together), the error itself where there is one file, and
    :class:`OutputError`; then nothing is written.
    """
    if phase not in PHASES:
        raise InvalidInputError(f"phase: expected one of {', '.join(PHASES)}; found {phase!r}")
    paths = [Path(file) for file in files]
    if not paths:
        raise InvalidInputError("files: expected at least one recording; found none")
    ids = scan_ids(paths)
    drawn = _corrections(None if corrections is None else Path(corrections), ids)
    parameters = ObjectParameters(
        emissivity=emissivity,
        reflected_c=reflected_c,
        distance_m=distance_m,
        humidity_pct=humidity_pct,
        air_c=air_c,
    )
    with staged_output(output, protect=paths) as stage:
        plans = [
            ScanPlan(
                path=path,
                scan=scan,
                limb=limb,
                view=view,
                phase=phase,
                time_s=time_s,
                parameters=parameters,
                corrections=drawn.get(scan),
            )
            for path, scan in zip(paths, ids, strict=True)
        ]
        scans, rewarmings = with_rewarmings(_measure_all(plans))
        table = gather_measurements(scans)
        write_scans(scans, table, stage, rewarmings=rewarmings)
    table.attrs["warnings"] = [text for scan in scans for text in scan.warnings]
    return table


def follow_file(plan: ScanPlan) -> Rewarming:
    """The challenge of one recording of rewarming; raises :class:`InvalidInputError` where it is none."""
    _, rewarmings = with_rewarmings(_measure_all([plan]))
    if not rewarmings:
        raise InvalidInputError(
            f"{plan.path.name}: expected a recording of many frames; found a single picture. Give a recording"
        )
    return rewarmings[0]


def _measure_all(plans: Sequence[ScanPlan]) -> list[ScanResult]:
    scans: list[ScanResult] = []
    troubles: list[RewarmError] = []
    for plan in plans:
        try:
            scans.append(measure_scan(plan))
        except RewarmError as error:
            troubles.append(error)
    if len(plans) == 1 and troubles:
        raise troubles[0]
    if troubles:
        lines = "\n  ".join(str(trouble) for trouble in troubles)
        raise InvalidInputError(
            f"{len(troubles)} of {len(plans)} files cannot be measured; nothing was written:\n  {lines}"
        )
    if not any(scan.regions.found or scan.regions.proposed for scan in scans):
        raise InvalidInputError("\n  ".join(scan.warnings[0] for scan in scans))
    return scans


def _corrections(place: Path | None, ids: Sequence[str]) -> dict[str, Path]:
    """Which scan has a file drawn by a person."""
    if place is None:
        return {}
    if place.is_file():
        if len(ids) > 1:
            raise InvalidInputError(
                f"{place}: expected a folder of SCAN.geojson, because there are {len(ids)} recordings; found one file. "
                f"Put it into a folder as {ids[0]}.geojson"
            )
        return {ids[0]: place}
    if not place.is_dir():
        raise InvalidInputError(f"{place}: expected a folder of SCAN.geojson; found nothing of that name")
    drawn = {scan: path for scan in ids if (path := place / f"{scan}.geojson").is_file()}
    if not drawn:
        names = ", ".join(f"{scan}.geojson" for scan in ids[:3])
        raise InvalidInputError(f"{place}: expected {names}; found none of them. Name each correction as its recording")
    return drawn
