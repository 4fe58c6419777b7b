"""What a run leaves behind: tables, regions, and ``run.json``, which says what was made from what, and how."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import pandas as pd
import tifffile

from rewarm.anatomy import write_regions
from rewarm.measures import Assumptions
from rewarm.study.results import Comparison, Rewarming, ScanResult, StudyResult
from rewarm.study.staging import MARKER, write_json
from rewarm.tables import COMPARISON, MEASUREMENTS
from rewarm.version import __version__

_REPORTED: Final = (
    *("numpy", "scipy", "pandas", "pyarrow", "xarray", "opencv-python-headless", "scikit-image"),
    *("shapely", "imagecodecs", "tifffile"),
)
_PARAMETERS: Final = (
    *("emissivity", "reflected_c", "distance_m", "humidity_pct", "air_c", "window_transmission", "window_c"),
    *("accuracy_c", "netd_mk", "reference_offset_c", "reference_u_c"),
)

MAPS: Final = ("lag_s", "rate_c_per_min", "half_time_s")
"""Maps of a recording of rewarming that are written, by their names in :class:`rewarm.measures.RewarmingMaps`."""

CHECK_COLUMNS: Final = (
    *("participant", "visit", "scan", "check", "status", "found"),
    *("expected", "unit", "reason", "source"),
)


def write_study_result(result: StudyResult, folder: str | Path) -> None:
    """Write measurements.csv, .parquet, comparisons.csv, checks.csv, regions/ and run.json into an existing folder.

    And first_table.csv, injections.csv, diary_coverage.csv and agreement.csv, where there is anything to say in them,
    and what :func:`write_rewarmings` writes.
    """
    place = Path(folder)
    write_table(result.measurements, place / "measurements.csv", parquet=True)
    write_table(result.comparison_table, place / "comparisons.csv")
    write_table(gather_checks(result.scans), place / "checks.csv")
    optional = {
        "agreement": result.agreement,
        "first_table": result.first_table,
        "injections": result.injection_totals,
        "diary_coverage": result.diary_coverage,
    }
    for name, table in optional.items():
        if table is not None:
            write_table(table, place / f"{name}.csv")
    _write_regions(result.scans, place)
    write_rewarmings(result.rewarmings, place)
    about = {"study": result.study_id, "title": result.title, "design": result.design, "control": result.control}
    comparisons = [
        {"before": item.before.scan, "after": item.after.scan, "warnings": list(item.warnings)}
        for item in result.comparisons
    ]
    write_json(
        place / MARKER,
        run_record(
            about,
            inputs=result.inputs,
            scans=result.scans,
            versions=result.versions,
            comparisons=comparisons,
            warnings=result.warnings,
        ),
    )


def write_comparison(comparison: Comparison, folder: str | Path) -> None:
    """Write both scans' measurements and regions, comparisons.csv, checks.csv and run.json into an existing folder."""
    place = Path(folder)
    scans = (comparison.before, comparison.after)
    write_table(gather_measurements(scans), place / "measurements.csv", parquet=True)
    write_table(comparison.table, place / "comparisons.csv")
    write_table(gather_checks(scans), place / "checks.csv")
    _write_regions(scans, place)
    about = {
        "limb": comparison.before.limb,
        "view": comparison.before.view,
        "ambient_before_c": comparison.before.ambient_c,
        "ambient_after_c": comparison.after.ambient_c,
    }
    record = run_record(about, inputs=scan_inputs(scans), scans=scans, warnings=comparison.warnings)
    write_json(place / MARKER, record)


def write_scans(
    scans: Sequence[ScanResult], measurements: pd.DataFrame, folder: Path, *, rewarmings: Sequence[Rewarming] = ()
) -> None:
    """Write measurements.csv and .parquet, checks.csv, regions/ and run.json of scans into an existing folder.

    And what :func:`write_rewarmings` writes.
    """
    write_table(measurements, folder / "measurements.csv", parquet=True)
    write_table(gather_checks(scans), folder / "checks.csv")
    _write_regions(scans, folder)
    write_rewarmings(rewarmings, folder)
    write_json(folder / MARKER, run_record({}, inputs=scan_inputs(scans), scans=scans))


def write_rewarmings(rewarmings: Sequence[Rewarming], folder: Path) -> None:
    """Write curves/SCAN.csv (columns of :data:`rewarm.tables.CURVES`), and maps/SCAN.NAME.tif of recordings.

    The maps are float32 (y, x) in the geometry of regions/SCAN.tif, NaN where nothing can be said:
    :data:`MAPS` names them.
    """
    for item in rewarmings:
        (folder / "curves").mkdir(exist_ok=True)
        write_table(item.curves, folder / "curves" / f"{item.scan}.csv")
        if item.followed is None:
            continue
        (folder / "maps").mkdir(exist_ok=True)
        for name in MAPS:
            values = getattr(item.followed.maps, name)
            tifffile.imwrite(
                folder / "maps" / f"{item.scan}.{name}.tif",
                values,
                photometric="minisblack",
                compression="zlib",
                metadata=None,
                description=f"{name} of {item.scan}",
            )


def write_table(table: pd.DataFrame, path: Path, *, parquet: bool = False) -> None:
    """CSV in UTF-8 with the same bytes on every system; NaN is an empty cell. With ``parquet`` that file beside it."""
    path.write_bytes(table.to_csv(index=False, lineterminator="\n").encode())
    if parquet:
        table.to_parquet(path.with_suffix(".parquet"), index=False, engine="pyarrow")


def gather_measurements(scans: Iterable[ScanResult]) -> pd.DataFrame:
    """The measurements of several scans as one table, in order; its columns also where there is none."""
    return stacked([scan.measurements for scan in scans], MEASUREMENTS)


def gather_comparisons(comparisons: Iterable[Comparison]) -> pd.DataFrame:
    """The changes of several comparisons as one table, in order; its columns also where there is none."""
    return stacked([item.table for item in comparisons], COMPARISON)


def gather_checks(scans: Iterable[ScanResult]) -> pd.DataFrame:
    """How each scan was taken, one row a check: the columns of :data:`CHECK_COLUMNS`, in order."""
    rows = [
        (
            *(scan.participant, scan.visit, scan.scan, check.id, check.status, check.found),
            *(check.expected, check.unit, check.reason, check.source),
        )
        for scan in scans
        for check in scan.checks
    ]
    return pd.DataFrame(rows, columns=list(CHECK_COLUMNS), dtype="str")


def stacked(tables: Sequence[pd.DataFrame], columns: Mapping[str, str]) -> pd.DataFrame:
    """Tables of the same columns on top of each other; empty ones left out, because they have no dtypes to keep."""
    filled = [table for table in tables if not table.empty]
    if not filled:
        return pd.DataFrame({name: pd.Series(dtype=_dtype(name)) for name in columns})
    return pd.concat(filled, ignore_index=True)[list(columns)]


def _dtype(column: str) -> str:
    numbers = ("time_s", "value", "u", "before", "after", "change", "sdc", "room_change")
    return {"n_px": "int64", "detectable": "boolean"}.get(column, "float64" if column in numbers else "str")


def software_versions() -> dict[str, str]:
    """rewarm's, Python's and the numerical libraries' versions."""
    versions = {"rewarm": __version__, "python": platform.python_version()}
    for name in _REPORTED:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # another distribution of the same library
            versions[name] = "not known"
    return versions


def sha256(path: Path) -> str:
    """The hash of a file's bytes; of a folder's files with their names, for recordings that are folders."""
    digest = hashlib.sha256()
    if path.is_dir():
        for file in sorted(item for item in path.rglob("*") if item.is_file()):
            digest.update(f"{file.relative_to(path).as_posix()}\n{sha256(file)}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def scan_inputs(scans: Iterable[ScanResult]) -> dict[str, str]:
    """File name → hash of the recordings; a name that occurs twice is told apart by its scan."""
    inputs: dict[str, str] = {}
    for scan in scans:
        attrs = scan.thermogram.attrs
        name = str(attrs["provenance_file"])
        inputs[f"{name} ({scan.scan})" if name in inputs else name] = str(attrs["provenance_sha256"])
    return inputs


def run_record(
    about: Mapping[str, Any],
    *,
    inputs: Mapping[str, str],
    scans: Sequence[ScanResult],
    versions: Mapping[str, str] | None = None,
    comparisons: Sequence[Mapping[str, Any]] = (),
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """The content of run.json: nothing in it depends on when or where it was made."""
    return {
        "software": f"rewarm {__version__}",
        **about,
        "versions": dict(versions or software_versions()),
        "inputs": dict(sorted(inputs.items())),
        "scans": [_scan_record(scan) for scan in scans],
        "comparisons": [dict(item) for item in comparisons],
        "warnings": list(warnings),
    }


def _scan_record(scan: ScanResult) -> dict[str, Any]:
    attrs = scan.thermogram.attrs
    return {
        "scan": scan.scan,
        "file": attrs["provenance_file"],
        "reader": attrs["provenance_reader"],
        "limb": scan.limb,
        "view": scan.view,
        "phase": scan.phase,
        "parameters": {name: _plain(attrs.get(name)) for name in _PARAMETERS},
        "stated_in": dict(sorted(attrs.get("stated_in", {}).items())),
        "assumptions": _assumptions(scan.assumptions),
        "regions_found": [item.name for item in scan.regions.found],
        "regions_not_found": {item.name: item.reason for item in scan.regions.missing},
        "warnings": list(dict.fromkeys([*attrs["warnings"], *scan.regions.warnings, *scan.warnings])),
    }


def _assumptions(assumptions: Assumptions) -> dict[str, Any]:
    """Every figure that u rests on where nothing better is known, and which of them study.toml states."""
    figures = {item.name: getattr(assumptions, item.name) for item in fields(assumptions) if item.name != "stated"}
    return figures | {"stated": sorted(assumptions.stated)}


def _plain(value: Any) -> float | None:
    """JSON has no NaN; unknown is null."""
    return None if value is None or value != value else float(value)


def _write_regions(scans: Sequence[ScanResult], folder: Path) -> None:
    for scan in scans:
        write_regions(scan.regions, folder, scan=scan.scan)
