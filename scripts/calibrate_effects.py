"""Simulated studies with known truth, read by rewarm's effects: do 90 % intervals hold it, is nothing found in nothing?

    python scripts/calibrate_effects.py --studies 200 -o docs/calibration             # designs
    python scripts/calibrate_effects.py --studies 200 -o docs/calibration --traps
    python scripts/calibrate_effects.py --studies 200 -o docs/calibration --ranks
    python scripts/calibrate_effects.py --studies 200 -o docs/calibration --plans examples/plans

Every study is a row of WHAT_studies.csv, which is written whole every few seconds: a run that was stopped goes on where
it was, unless the estimator or the simulation has changed since. WHAT.csv is its summary. A study that could not be
analysed is a row that says why.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from effect_studies import SCENARIOS, TRAPS, Scenario, Study, days_over, planned, simulate
from scipy.stats import chisquare, ttest_1samp

import rewarm.effects
from rewarm.effects.draws import Draws, interval
from rewarm.effects.duration import Duration, duration_interval, durations
from rewarm.effects.fast import fit_fast
from rewarm.effects.frame import analysis_frame
from rewarm.effects.metrics import outcome_named
from rewarm.effects.model import ENROLMENT, ModelData, build_model
from rewarm.effects.model import course as shape_of
from rewarm.effects.power import wilson
from rewarm.effects.rows import CALLED, LEVEL
from rewarm.processes import process_pool

DAY: Final = np.array([42.0])
IMPORTANT_C: Final = 1.0
WRITE_EVERY_S: Final = 5.0
RANK_BINS: Final = 10
TURN: Final = 10
Row = dict[str, Any]


def judge(make: Callable[[int], Study], seed: int) -> Row:
    """One simulated study, read by the fast estimator, beside its truth."""
    began = time.process_time()
    study, outcome = make(seed), outcome_named("mean")
    frame = analysis_frame(outcome, "toes", study.measurements, study.visits, study.injections, scans=study.scans)
    design = study.settings["design"]
    model = build_model(
        frame, outcome, randomised=design.get("randomised"), enrolled_at_worst=design.get("enrolled_at_worst")
    )
    draws = fit_fast(model, seed=seed)
    values = draws.mean_effect(DAY)[:, 0]
    estimate, lower, upper = interval(values, LEVEL)
    probability, controlled = float(np.mean(values > 0)), bool((~frame["treated"]).any())
    truth = float(study.true_effect(DAY)[0])
    whole, *own = durations(draws, IMPORTANT_C)
    days, shortest, longest = duration_interval(whole, LEVEL)
    true_days = study.true_duration(IMPORTANT_C, whole.last_day)
    return {
        **_paired_t_test(frame),
        "truth": truth,
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "covered": lower <= truth <= upper,
        "over_zero": lower > 0,
        "probability": probability,
        "controlled": controlled,
        "called": controlled and probability >= CALLED,
        **_people(study, draws, own),
        "true_duration": true_days,
        "duration": days,
        "duration_lower": shortest,
        "duration_upper": longest,
        "duration_covered": _holds(whole, true_days),
        "trouble": bool(draws.trouble),
        "cpu_s": time.process_time() - began,
    }


def _holds(duration: Duration, truth: float) -> bool:
    """Whether the interval of a duration holds the truth; it may be open at its upper end."""
    _, shortest, longest = duration_interval(duration, LEVEL)
    return shortest <= truth and not longest < truth


def _people(study: Study, draws: Draws, own: Sequence[Duration]) -> Row:
    """Each treated person's own effect and duration: the share of intervals that hold it; the effects' mean width."""
    bounds = [interval(draws.person_effect(DAY, i)[:, 0], LEVEL) for i in range(len(draws.people))]
    truths = [float(study.effects[who](DAY)[0]) for who in draws.people]
    inside = [lower <= truth <= upper for (_, lower, upper), truth in zip(bounds, truths, strict=True)]
    lasted = [
        _holds(item, days_over(study.effects[who], IMPORTANT_C, item.last_day))
        for who, item in zip(draws.people, own, strict=True)
    ]
    return {
        "people": len(bounds),
        "people_covered": float(np.mean(inside)),
        "people_duration_covered": float(np.mean(lasted)),
        "people_width": float(np.mean([upper - lower for _, lower, upper in bounds])),
    }


def _paired_t_test(frame: pd.DataFrame) -> Row:
    """What is usually done: each treated toe's last visit within 100 days against its first, as if toes were people."""
    treated = frame[frame["treated"]]
    toe = ["participant", "side", "region"]
    before = treated[treated["baseline"]].sort_values("day").groupby(toe)["value"].last()
    after = treated[treated["day"].between(1, 100)].sort_values("day").groupby(toe)["value"].last()
    differences = (after - before).dropna()
    found = ttest_1samp(differences, 0.0)
    return {
        "t_test_estimate": float(differences.mean()),
        "t_test_called": bool(found.pvalue < 0.05 and found.statistic > 0),
    }


def rank(scenario: Scenario, seed: int) -> Row:
    """Ranks (0..1) of the truth among posterior draws, truth being drawn from the priors (arXiv:1804.06788).

    Uniform ranks say that the estimator's posterior is that of its model. The design is the scenario's, its values are
    the model's. ``effect`` is the mean effect on day 42, ``person`` the first person's, ``duration`` that person's D.
    """
    study, outcome = simulate(scenario, 1), outcome_named("mean")
    frame = analysis_frame(outcome, "toes", study.measurements, study.visits, study.injections, scans=study.scans)
    data = build_model(frame, outcome, randomised=scenario.randomised)
    y, truth = _from_priors(data, np.random.default_rng([seed, zlib.crc32(scenario.name.encode())]))
    draws = fit_fast(replace(data, y=y), seed=seed)
    found = {
        "effect": draws.mean_effect(DAY)[:, 0],
        "person": draws.person_effect(DAY, 0)[:, 0],
        "duration": draws.duration[:, 0],
        "onset": draws.onset,
    }
    ranks = {name: float(np.mean(values < truth[name])) for name, values in found.items()}
    return {**ranks, "trouble": bool(draws.trouble)}


def _from_priors(data: ModelData, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, float]]:
    """Values of every row, and the truth of what is ranked, all drawn from the model."""
    priors = data.priors
    sd = {name: rng.gamma(2.0, priors.spreads[name] / 2.0) for name in data.spreads}
    share = rng.beta(*priors.offset_share) if data.has_offset else 0.0
    beta = rng.normal(data.prior_mean, data.prior_sd)
    beta[np.array(data.names) == ENROLMENT] *= np.hypot(sd["visit"], share * data.typical_offset)
    y = data.columns @ beta
    for name, codes in (
        ("person", data.person),
        ("limb", data.limb),
        ("digit", data.digit),
        ("visit_limb", data.visit_limb),
    ):
        y = y + (rng.normal(0, sd[name], codes.max() + 1))[codes]
    alike = np.linalg.cholesky(data.visit_correlation())
    visit = sd["visit"] * (alike @ rng.standard_normal(len(alike)))
    visit += share * data.u_visit * rng.standard_normal(len(alike))
    y = y + visit[data.visit]
    slopes = rng.normal(0, data.slope_sd, (len(data.people), len(data.slope_sd)))
    y = y + (slopes[data.person] * data.slopes).sum(axis=1)
    if data.parallel:
        y = y + rng.normal(0, sd["change"], len(data.people))[data.person] * data.after
    onset, duration, *forms = (
        np.exp(rng.normal(*normal))
        for normal in (priors.log_onset, priors.log_duration, priors.log_shape, priors.log_tail, priors.log_rise)
    )
    person = rng.normal(0, priors.effect_sd) + rng.normal(0, sd["effect_person"], len(data.people))
    digit = rng.normal(0, sd["effect_digit"], data.digit.max() + 1)
    full = person[data.person] + digit[data.digit]
    spread = rng.gamma(2.0, priors.duration_spread / 2.0) if len(data.treated_people) > 1 else 0.0
    lasts = duration * np.exp(spread * rng.standard_normal(len(data.people)))
    y = y + full * shape_of(data.day, onset, lasts[data.person], *forms) * data.treated
    y = y + rng.normal(0, np.hypot(sd["residual"], data.u_own))
    treated = data.treated > 0
    means = pd.Series(full)[treated].groupby(data.person[treated]).mean()
    on_day = means * shape_of(DAY, onset, lasts[means.index], *forms)
    first = means.index[0]
    return y, {
        "effect": float(on_day.mean()),
        "person": float(on_day[first]),
        "duration": float(lasts[first]),
        "onset": float(onset),
    }


def summary(studies: pd.DataFrame) -> pd.DataFrame:
    """One row a design: shares with Wilson's 95 % interval of the simulation; failed studies hold no truth."""
    rows = []
    for design, found in studies.groupby("design", sort=False):
        good = found[found["failed"].isna()]
        row: Row = {"design": design, "studies": len(found), "failed": len(found) - len(good)}
        row["trouble"] = int(good["trouble"].sum())
        row["controlled"] = int(good["controlled"].max() == 1)
        for name in ("covered", "duration_covered", "over_zero", "called", "t_test_called"):
            count = int(good[name].sum())
            low, high = wilson(count, len(found))
            row |= {name: count / len(found), f"{name}_low": low, f"{name}_high": high}
        for name in ("people_covered", "people_duration_covered"):
            spread = good[name].std() / np.sqrt(len(good))  # people of one study share its luck
            middle = good[name].mean()
            row |= {name: middle, f"{name}_low": middle - 1.96 * spread, f"{name}_high": middle + 1.96 * spread}
        row |= good[["truth", "estimate", "t_test_estimate", "true_duration", "duration", "cpu_s"]].mean().to_dict()
        row["bias"] = float((good["estimate"] - good["truth"]).mean())
        row["width"] = float((good["upper"] - good["lower"]).mean())
        rows.append(row)
    return pd.DataFrame(rows).round(3)


def ranks_summary(studies: pd.DataFrame) -> pd.DataFrame:
    """One row a design and quantity: the histogram of ranks, and how often chance alone is less even."""
    rows = []
    for design, found in studies.groupby("design", sort=False):
        good = found[found["failed"].isna()]
        for quantity in ("effect", "person", "duration", "onset"):
            counts = np.histogram(good[quantity], bins=RANK_BINS, range=(0.0, 1.0))[0]
            rows.append(
                {
                    "design": design,
                    "quantity": quantity,
                    "studies": len(found),
                    "failed": len(found) - len(good),
                    "trouble": int(good["trouble"].sum()),
                    "ranks": " ".join(map(str, counts)),
                    "p": round(float(chisquare(counts).pvalue), 3),
                }
            )
    return pd.DataFrame(rows)


def run(cases: dict[str, Callable[[int], Row]], seeds: range, path: Path, *, processes: int) -> pd.DataFrame:
    """Rows of all cases and seeds: those that ``path`` holds already, and the others as they come."""
    code = fingerprint()
    done = _before(path, code)
    # a few of each design at a time: what is there when a run is stopped says something of all of them
    turns = [seeds[start : start + TURN] for start in range(0, len(seeds), TURN)]
    todo = [(name, seed) for turn in turns for name in cases for seed in turn if (name, seed) not in done]
    began = written = time.monotonic()
    print(f"{path.name}: {len(done)} there already, {len(todo)} to do", flush=True)
    try:
        for count, (name, seed, row) in enumerate(_computed(cases, todo, processes), start=1):
            done[name, seed] = {"design": name, "seed": seed, "code": code, **row}
            if time.monotonic() - written > WRITE_EVERY_S:
                _write(done, cases, path)
                written = time.monotonic()
                print(f"{path.name}: {count} of {len(todo)}, {written - began:.0f} s, {name}", flush=True)
    finally:
        _write(done, cases, path)
    table = rows_of(path)
    return table[table["seed"].isin(seeds) & table["design"].isin(cases)]


def rows_of(path: Path) -> pd.DataFrame:
    """The studies of a file, with the column of what failed even where nothing did."""
    table = pd.read_csv(path, dtype={"code": str})
    return table.reindex(columns=table.columns.union(["failed"], sort=False))


def _computed(
    cases: dict[str, Callable[[int], Row]], todo: list[tuple[str, int]], processes: int
) -> Iterator[tuple[str, int, Row]]:
    with process_pool(processes, preload="calibrate_effects") as pool:
        if pool is None:
            for name, seed in todo:
                yield name, seed, attempt(cases[name], seed)
            return
        rest = iter(todo)
        waiting: dict[Future[Row], tuple[str, int]] = {}
        while True:
            for name, seed in islice(rest, 2 * processes - len(waiting)):
                waiting[pool.submit(attempt, cases[name], seed)] = (name, seed)
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield *waiting.pop(future), future.result()


def attempt(work: Callable[[int], Row], seed: int) -> Row:
    """The row of one study, or one that says why there is none: a failure counts, it does not vanish."""
    try:
        row = work(seed)
        return {name: int(value) if isinstance(value, bool | np.bool_) else value for name, value in row.items()}
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}


def fingerprint() -> str:
    """Changes with the code that the results rest on, not with its comments or line breaks."""
    room = Path(rewarm.effects.__file__).parent
    names = ("cells", "dose", "draws", "duration", "fast", "frame", "importance", "metrics", "model")
    files: Iterable[Path] = [room / f"{name}.py" for name in names] + [Path(__file__).with_name("effect_studies.py")]
    digest = hashlib.sha256(f"{LEVEL} {CALLED}".encode())
    for path in files:
        if path.is_file():
            digest.update(ast.dump(ast.parse(path.read_text(encoding="utf-8"))).encode())
    return digest.hexdigest()[:8]


def _before(path: Path, code: str) -> dict[tuple[str, int], Row]:
    if not path.is_file():
        return {}
    table = pd.read_csv(path, dtype={"code": str})
    kept = table[table["code"] == code]
    if len(kept) < len(table):
        print(f"{path.name}: {len(table) - len(kept)} rows of earlier code are left out", flush=True)
    return {(str(row["design"]), int(row["seed"])): dict(row) for row in kept.to_dict("records")}


def _write(done: dict[tuple[str, int], Row], cases: Iterable[str], path: Path) -> None:
    """All rows in the order of cases and seeds, the file whole or as it was."""
    order = {name: i for i, name in enumerate(cases)}
    keys = sorted(done, key=lambda key: (order.get(key[0], len(order)), key))
    table = pd.DataFrame([done[key] for key in keys])
    partly = path.with_name(f".{path.name}.partial")
    table.to_csv(partly, index=False, lineterminator="\n", float_format="%.4g")
    partly.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200, help="simulated studies for each design")
    parser.add_argument("--first-seed", type=int, default=1, help="other seeds for trying things out, e.g. 10001")
    parser.add_argument("--only", default="", help="the scenarios whose name holds this")
    parser.add_argument("--traps", action="store_true", help="the traps instead of the designs")
    parser.add_argument("--ranks", action="store_true", help="simulation-based calibration instead")
    parser.add_argument("--plans", type=Path, help="a folder of study plans instead, e.g. examples/plans")
    parser.add_argument("--summary", action="store_true", help="no further studies: sum up those that are there")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", "-o", type=Path, default=Path("docs/calibration"))
    arguments = parser.parse_args()
    name, cases = _cases(arguments)
    cases = {words: work for words, work in cases.items() if arguments.only in words}
    if not cases:
        sys.exit(f"--only: expected part of a design's name; found {arguments.only!r}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.studies)
    path = arguments.output / f"{name}_studies.csv"
    studies = rows_of(path) if arguments.summary else run(cases, seeds, path, processes=arguments.processes)
    table = (ranks_summary if arguments.ranks else summary)(studies)
    table.to_csv(arguments.output / f"{name}.csv", index=False, lineterminator="\n")
    print(table.to_string(index=False))


def _cases(arguments: argparse.Namespace) -> tuple[str, dict[str, Callable[[int], Row]]]:
    if arguments.ranks:
        return "ranks", {item.name: partial(rank, item) for item in SCENARIOS if item.effect_c}
    if arguments.plans is not None:
        paths = sorted(arguments.plans.glob("*.toml"))
        return "plans", {path.stem: partial(judge, partial(planned, path)) for path in paths}
    scenarios = TRAPS if arguments.traps else SCENARIOS
    return "traps" if arguments.traps else "designs", {
        item.name: partial(judge, partial(simulate, item)) for item in scenarios
    }


if __name__ == "__main__":
    main()
