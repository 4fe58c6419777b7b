"""Write a simulated study as a folder: the tables and pictures that a clinic would hand in, the truth apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from rewarm.processes import ProcessPool
from rewarm.regions import LEGEND, SOLE_REGIONS
from rewarm.twin.staging import Stage, kept_scans, resumable_study, write_marker
from rewarm.twin.studies.draw import Drawn, draw_study, measurements_of, study_tables, truth_tables
from rewarm.twin.studies.measuring import visit_names
from rewarm.twin.studies.pictures import REFERENCE_BOX, REFERENCE_C, ScanTruth, Sitting, moment, simulated_camera
from rewarm.twin.studies.plan import StudyPlan
from rewarm.twin.studies.readme import truth_readme
from rewarm.twin.studies.recordings import Film, film_of, noted, take_noted

Progress = Callable[[int, int, str], None]
Job = tuple[Sitting, Film | None]

MADE_BY: Final = "rewarm.twin.simulate_study"


def simulate_study(
    plan: StudyPlan,
    folder: Path | str,
    *,
    seed: int | None = None,
    pool: ProcessPool | None = None,
    on_progress: Progress | None = None,
) -> Path:
    """Simulate a study and write it; ``seed`` in place of the plan's. The same plan and seed give the same bytes.

    ``folder`` becomes a study folder with the truth in ``folder/truth``. A folder that a simulation made before is
    replaced as a whole, and only once the new one is complete. Scans that were finished when a simulation was
    interrupted are kept beside it, in ``.NAME.part``, and the same simulation goes on from them. The processes of
    ``pool`` take the pictures; without it this one does. ``on_progress`` is called with scans done, scans in all, and
    what was done last. Returns the folder.

    Raises :class:`rewarm.errors.OutputError` where ``folder`` exists and is anything else, or cannot be written.
    """
    target = Path(folder)
    drawn = draw_study(plan, plan.seed if seed is None else seed)
    with resumable_study(target, _made_of(plan, drawn.seed)) as stage:
        made = stage.study
        tables, truth = study_tables(drawn), truth_tables(drawn)
        if plan.pictures.kind == "none":
            tables["measurements"] = measurements_of(drawn)
            (made / "thermograms").rmdir()
            (made / "truth" / "labels").rmdir()
        else:
            jobs = list(scan_jobs(drawn, made))
            scans = _take_all(jobs, stage, pool, on_progress)
            tables["scans"] = _scans_table(drawn, jobs, scans)
            truth |= _picture_truth(scans)
            _write_json(made / "truth" / "legend.json", _legend())
        (made / "study.toml").write_text(study_toml(plan), encoding="utf-8", newline="\n")
        for name, table in tables.items():
            write_csv(table, made / f"{name}.csv")
        for name, table in truth.items():
            write_csv(table, made / "truth" / f"{name}.csv")
        (made / "truth" / "README.md").write_text(truth_readme(plan, truth), encoding="utf-8", newline="\n")
        write_marker(made, made_by=MADE_BY, seed=drawn.seed)
    return target


def scans_kept(plan: StudyPlan, folder: Path | str, *, seed: int | None = None) -> int:
    """How many finished scans an interrupted simulation of this plan and seed left for the next."""
    return kept_scans(Path(folder), _made_of(plan, plan.seed if seed is None else seed))


def _made_of(plan: StudyPlan, seed: int) -> str:
    return f"{MADE_BY} {seed} {plan!r}"


def scan_jobs(drawn: Drawn, folder: Path) -> Iterator[Job]:
    """The scans of each visit that took place, in the order of people and visits: a still, and a film where wanted."""
    happened = drawn.happened
    if happened is not None:
        (folder / "truth" / "frames").mkdir(exist_ok=True)
    count = int(drawn.calendar.attended.sum())
    for sitting, (person, visit) in zip(_sittings(drawn, folder), _who_came(drawn), strict=True):
        yield sitting, None
        if happened is not None:
            filmed = replace(sitting, scan=f"{sitting.scan}_cold", number=count + sitting.number)
            yield filmed, film_of(happened, person, visit, drawn.plan.pictures)


def _who_came(drawn: Drawn) -> Iterator[tuple[int, int]]:
    people, visits = np.nonzero(drawn.calendar.attended)
    return zip(people.tolist(), visits.tolist(), strict=True)


def _sittings(drawn: Drawn, folder: Path) -> Iterator[Sitting]:
    plan, calendar = drawn.plan, drawn.calendar
    tips = drawn.rest.tip_gradient_c
    names = visit_names(plan)
    cameras = [
        simulated_camera(item.model, item.pixels, item.accuracy_c, item.netd_mk, number)
        for number, item in enumerate(plan.cameras)
    ]
    for number, (person, visit) in enumerate(_who_came(drawn)):
        which = int(drawn.errors.camera[visit])
        date = calendar.enrolled[person] + calendar.visit_day[person, visit].astype("timedelta64[D]")
        yield Sitting(
            folder=folder,
            scan=f"{drawn.cohort.participant[person]}_{names[visit]}",
            seed=drawn.seed,
            person=person,
            number=number,
            camera_id=plan.cameras[which].id,
            camera_number=which,
            camera=cameras[which],
            nonuniformity_c=plan.cameras[which].nonuniformity_c,
            offset_c=float(drawn.errors.offset_c[person, visit]),
            acquired_at=moment(date, np.random.default_rng([drawn.seed, 4, number]), plan.timezone),
            ambient_c=float(calendar.ambient_c[person, visit]),
            humidity_pct=float(calendar.humidity_pct[person, visit]),
            toes_c=tuple(map(tuple, drawn.rest.toes_c[person, visit].tolist())),
            sole_c=tuple(map(tuple, drawn.rest.sole_c[person, visit].tolist())),
            tip_gradient_c=None if tips is None else tuple(tips[person, visit].tolist()),
            reference=plan.pictures.reference_in_view,
        )


def _take_all(
    jobs: Sequence[Job], stage: Stage, pool: ProcessPool | None, on_progress: Progress | None
) -> list[ScanTruth]:
    """All scans in the jobs' order, without those noted already. What a process that died leaves over is taken here."""
    tell = on_progress or _say_nothing
    notes = [stage.note(sitting.scan) for sitting, _ in jobs]
    kept = {number: scan for number, note in enumerate(notes) if (scan := noted(note)) is not None}
    given: dict[int, Future[ScanTruth]] = {}
    if pool is not None:
        with suppress(BrokenExecutor):
            for number, job in enumerate(jobs):
                if number not in kept:
                    given[number] = pool.submit(take_noted, job, notes[number])
    taken: list[ScanTruth] = []
    for number, job in enumerate(jobs):
        scan = kept.get(number)
        if scan is None:
            try:
                scan = given[number].result() if number in given else take_noted(job, notes[number])
            except BrokenExecutor:
                scan = take_noted(job, notes[number])
        taken.append(scan)
        tell(len(taken), len(jobs), f"pictures: {scan.scan}")
    return taken


def _say_nothing(_done: int, _total: int, _what: str) -> None:
    """Progress that nobody watches."""


def _scans_table(drawn: Drawn, jobs: Sequence[Job], scans: Sequence[ScanTruth]) -> pd.DataFrame:
    names, plan = visit_names(drawn.plan), drawn.plan
    box = ";".join(map(str, REFERENCE_BOX))
    reference = {"reference_c": REFERENCE_C, "reference_box": box} if plan.pictures.reference_in_view else {}
    came = list(_who_came(drawn))
    rows = []
    for number, ((sitting, film), scan) in enumerate(zip(jobs, scans, strict=True)):
        person, visit = came[number * len(came) // len(jobs)]
        phase = {"phase": "rest"} if film is None else {"phase": "rewarming", "time_s": float(film.time_s[0])}
        rows.append(
            {
                "participant": drawn.cohort.participant[person],
                "visit": names[visit],
                "scan": scan.scan,
                "file": f"thermograms/{scan.scan}.{'jpg' if film is None else 'csq'}",
                "limb": "feet",
                "view": "plantar",
                **phase,
                "camera": sitting.camera_id,
                "distance_m": scan.distance_m,
                "emissivity": 0.98,
                "reflected_c": scan.reflected_c,
                **reference,
            }
        )
    return pd.DataFrame(rows)


def _picture_truth(scans: Sequence[ScanTruth]) -> dict[str, pd.DataFrame]:
    return {
        "scans": pd.DataFrame([scan.camera for scan in scans]),
        "regions": pd.DataFrame([row for scan in scans for row in scan.regions]),
        "landmarks": pd.DataFrame([row for scan in scans for row in scan.landmarks]),
    }


def _legend() -> dict[str, int]:
    return {name: code for name, code in LEGEND.items() if name.partition("_")[2] in SOLE_REGIONS}


def study_toml(plan: StudyPlan) -> str:
    """``study.toml`` of the study that a plan makes; what a clinic would know, and nothing of the truth."""
    text = json.dumps  # TOML's basic strings escape as JSON's do, and ids and titles are printable
    lines = [
        f"id = {text(plan.id)}",
        f"title = {text(plan.title, ensure_ascii=False)}",
        f"timezone = {text(plan.timezone)}",
        "",
        "[design]",
        f'kind = "{plan.design.kind}"',
        f'control = "{plan.design.control}"',
        f"randomised = {text(plan.design.randomised)}",
        f"masked_reading = {text(plan.design.masked_reading)}",
        f"masked_rating = {text(plan.design.masked_rating)}",
        "",
        *_outcomes(plan),
        "[protocol]",
        f"ambient_c = {plan.room.mean_c:g}",
        "settling_min = 15",
        *_challenge(plan),
    ]
    for camera in plan.cameras:
        lines += [
            "",
            f"[camera.{camera.id}]",
            f"model = {text(camera.model, ensure_ascii=False)}",
            f"accuracy_c = {camera.accuracy_c:g}",
            f"netd_mk = {camera.netd_mk:g}",
            f"pixels = [{camera.pixels[0]}, {camera.pixels[1]}]",
        ]
    return "\n".join(lines) + "\n"


def _challenge(plan: StudyPlan) -> list[str]:
    """What a clinic writes down of its cold water."""
    pictures = plan.pictures
    if pictures.kind != "recordings":
        return []
    return [
        f"water_c = {pictures.water_c:g}",
        f"immersion_s = {pictures.immersion_s:g}",
        "immersion_dry = true",
        f"follow_up_min = {(pictures.frames - 1) * pictures.interval_s / 60.0:g}",
    ]


def _outcomes(plan: StudyPlan) -> list[str]:
    outcomes = plan.outcomes
    lines = [f"primary = {json.dumps(outcomes.primary)}"] if outcomes.primary else []
    lines += [f"secondary = {json.dumps(list(outcomes.secondary))}"] if outcomes.secondary else []
    return ["[outcomes]", *lines, ""] if lines else []


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """UTF-8, dates without a time of day, figures with six digits."""
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n", float_format="%.6g", date_format="%Y-%m-%d")


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8", newline="\n")
