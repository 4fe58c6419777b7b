"""After against before: two scans aligned, the map of what changed, and the table."""

from __future__ import annotations

from pathlib import Path

from rewarm.alignment import align, change_map
from rewarm.errors import InvalidInputError
from rewarm.measures import (
    Difference,
    Setting,
    check_comparable,
    comparability,
    compare_measurements,
    comparison_warnings,
)
from rewarm.study.results import Comparison, ScanResult
from rewarm.study.scan import measure_scan, nothing_found
from rewarm.study.scan_ids import scan_ids
from rewarm.study.scan_plan import ScanPlan
from rewarm.thermogram import ObjectParameters, temperature_c


def compare(
    before: str | Path,
    after: str | Path,
    *,
    limb: str = "feet",
    view: str = "plantar",
    limb_after: str | None = None,
    view_after: str | None = None,
    ambient_before_c: float | None = None,
    ambient_after_c: float | None = None,
    corrections_before: str | Path | None = None,
    corrections_after: str | Path | None = None,
    emissivity: float | None = None,
    reflected_c: float | None = None,
    distance_m: float | None = None,
    humidity_pct: float | None = None,
) -> Comparison:
    """Compare two recordings of the same person's limbs.

    ``limb`` and ``view`` hold for both (``limb_after``, ``view_after`` where the second was labelled apart; they must
    agree). The rooms' temperatures also are the air's where a file holds raw counts. Parameters override both files'.

    Raises :class:`InvalidInputError` for the same picture twice, different limbs or views, a still against a recording,
    or no region found in one; and what opening and measuring either file raises.
    """
    ids = scan_ids([Path(before), Path(after)])
    scans: list[ScanResult] = []
    for path, scan, ambient_c, corrections, this_limb, this_view in (
        (Path(before), ids[0], ambient_before_c, corrections_before, limb, view),
        (Path(after), ids[1], ambient_after_c, corrections_after, limb_after or limb, view_after or view),
    ):
        parameters = ObjectParameters(
            emissivity=emissivity, reflected_c=reflected_c, distance_m=distance_m, humidity_pct=humidity_pct
        )
        plan = ScanPlan(
            path=path,
            scan=scan,
            limb=this_limb,
            view=this_view,
            ambient_c=ambient_c,
            parameters=parameters,
            corrections=None if corrections is None else Path(corrections),
        )
        scans.append(measure_scan(plan))
    return compare_scans(scans[0], scans[1])


def compare_scans(before: ScanResult, after: ScanResult) -> Comparison:
    """Compare two measured scans; raises :class:`InvalidInputError` where they cannot be compared."""
    check_comparable(before.regions, after.regions)
    _check_different(before, after)
    _check_found(before, after)
    alignment = align(before.regions, after.regions)
    change_c = change_map(temperature_c(before.thermogram), temperature_c(after.thermogram), alignment)
    table = compare_measurements(
        before.measurements,
        after.measurements,
        before_ambient_c=before.ambient_c,
        after_ambient_c=after.ambient_c,
    )
    warnings = comparison_warnings(
        before.thermogram,
        after.thermogram,
        before_regions=before.regions,
        after_regions=after.regions,
        before_ambient_c=before.ambient_c,
        after_ambient_c=after.ambient_c,
    )
    return Comparison(
        before=before,
        after=after,
        change_c=change_c,
        alignment_error_px=alignment.error_px,
        table=table,
        warnings=(*warnings, *alignment.warnings),
        comparability=_differences(before, after),
    )


def _differences(before: ScanResult, after: ScanResult) -> tuple[Difference, ...]:
    if before.review is None or after.review is None:
        return ()
    return comparability(
        Setting(before.thermogram, before.regions, before.review, before.assumptions),
        Setting(after.thermogram, after.regions, after.review, after.assumptions),
    )


def _check_different(before: ScanResult, after: ScanResult) -> None:
    first, second = before.thermogram.attrs, after.thermogram.attrs
    if first.get("provenance_sha256") and first.get("provenance_sha256") == second.get("provenance_sha256"):
        raise InvalidInputError(
            f"before and after: expected two recordings; found the same picture twice ({_name(before)} and "
            f"{_name(after)} hold the same bytes). Give the recording of the later visit"
        )
    kinds = ["a recording" if attrs.get("recording_frames") else "a still picture" for attrs in (first, second)]
    if kinds[0] != kinds[1]:
        raise InvalidInputError(
            f"before and after: expected two still pictures, or two recordings; found {kinds[0]} ({_name(before)}) "
            f"before and {kinds[1]} ({_name(after)}) after. Export a still from the recording"
        )


def _check_found(before: ScanResult, after: ScanResult) -> None:
    missing = [
        f"{word}: {nothing_found(_name(scan), scan.regions)}"
        for word, scan in (("before", before), ("after", after))
        if not scan.regions.found
    ]
    if missing:
        raise InvalidInputError("\n  ".join(missing))


def _name(scan: ScanResult) -> str:
    return str(scan.thermogram.attrs.get("provenance_file") or scan.scan)
