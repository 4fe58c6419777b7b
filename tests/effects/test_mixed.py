"""Mixed models beside R's lme4, lmerTest and pbkrtest on the same data, and properties that need no R."""

import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from rewarm.effects.mixed import RandomTerm, contrast, f_test, fit_mixed, random_intercept
from rewarm.errors import InvalidInputError

FORMULAS = {
    "nested": "y ~ after + room + (1|person) + (1|limb) + (1|digit)",
    "slope": "y ~ after + room + (1 + after|person)",
    "crossed": "y ~ after + room + (1|person) + (1|camera)",
    "visits": "y ~ after * treated + room + (1|person) + (1|visit) + (1|limb)",
    "singular": "y ~ after + room + (1|person) + (1|noise)",
}
R_CODE = """
suppressMessages({library(lme4); library(lmerTest); library(pbkrtest)})
fit <- function(name, formula) {
  d <- read.csv(paste0(name, ".csv"))
  for (factor_name in c("person","limb","digit","visit","camera","noise")) d[[factor_name]] <- factor(d[[factor_name]])
  m <- suppressMessages(suppressWarnings(do.call(lmerTest::lmer, list(formula, d, REML=TRUE,
    control=lmerControl(optimizer="bobyqa", optCtrl=list(rhoend=1e-9, maxfun=1e5))))))
  s <- suppressMessages(summary(m, ddf="Satterthwaite"))$coefficients
  k <- suppressMessages(summary(m, ddf="Kenward-Roger"))$coefficients
  kr <- pbkrtest::KRmodcomp(m, diag(length(fixef(m)))[2:3,])$stats
  text <- function(x) paste(sprintf("%.10f", x), collapse=",")
  cat(sprintf('"%s":{"beta":[%s],"se":[%s],"df":[%s],"kr_se":[%s],"kr_df":[%s],"reml":%.10f,"f":%.10f,"ddf":%.10f,
    "singular":%s}', name, text(s[,1]), text(s[,2]), text(s[,3]), text(k[,2]), text(k[,3]), REMLcrit(m), kr$Fstat,
    kr$ddf, tolower(isSingular(m))))
}
"""


def small_study(seed: int = 1, *, people: int = 4, missing: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        base, slope = rng.normal(0, 1.0), rng.normal(1.5, 0.8)
        for visit in range(4):
            day, room = rng.normal(0, 0.5), rng.normal(22.5, 0.8)
            for side in range(2):
                for toe in range(3):
                    after, treated = float(visit >= 2), float(side == person % 2)
                    y = 26 + base + 0.4 * side + 0.3 * toe + slope * after * treated + 0.8 * (room - 22.5) + day
                    rows.append((person, f"{person}{side}", f"{person}{side}{toe}", f"{person}{visit}", visit % 3,
                                 rng.integers(6), after, treated, room - 22.5, y + rng.normal(0, 0.3)))  # fmt: skip
    names = ["person", "limb", "digit", "visit", "camera", "noise", "after", "treated", "room", "y"]
    table = pd.DataFrame(rows, columns=names)
    return table.drop(index=[3, 17, 40]).reset_index(drop=True) if missing else table


def our_fit(table: pd.DataFrame, name: str):
    ones = np.ones(len(table))
    after, treated, room = (table[c].to_numpy(float) for c in ("after", "treated", "room"))
    if name == "visits":
        x, names = np.column_stack([ones, after, treated, room, after * treated]), ["1", "a", "t", "r", "at"]
        return fit_mixed(
            table["y"].to_numpy(), x, names, [random_intercept(g, table[g]) for g in ("person", "visit", "limb")]
        )
    x, names = np.column_stack([ones, after, room]), ["1", "after", "room"]
    if name == "slope":
        random = [RandomTerm("person", table["person"].to_numpy(), np.column_stack([ones, after]))]
    else:
        groups = {
            "nested": ("person", "limb", "digit"),
            "crossed": ("person", "camera"),
            "singular": ("person", "noise"),
        }
        random = [random_intercept(g, table[g]) for g in groups[name]]
    return fit_mixed(table["y"].to_numpy(), x, names, random)


@pytest.fixture(scope="module")
def r_fits(tmp_path_factory):
    """All models as R fits them, in one R process."""
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not on this machine (Debian: r-base-core)")
    folder = tmp_path_factory.mktemp("r")
    for name in FORMULAS:
        table_of(name).to_csv(folder / f"{name}.csv", index=False)
    calls = [f'fit("{name}", {formula})' for name, formula in FORMULAS.items()]
    code = R_CODE + 'cat("{")\n' + '\ncat(",")\n'.join(calls) + '\ncat("}")\n'
    (folder / "fit.R").write_text(code)
    done = subprocess.run(["Rscript", "fit.R"], cwd=folder, capture_output=True, text=True, check=False, timeout=280)
    if "there is no package called" in done.stderr:
        pytest.skip("R lacks lme4, lmerTest or pbkrtest (Debian: r-cran-lme4 r-cran-lmertest r-cran-pbkrtest)")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def table_of(name: str) -> pd.DataFrame:
    return small_study(seed=5 if name == "singular" else 3)


@pytest.mark.parametrize("name", FORMULAS)
def test_equal_to_r_on_the_same_data(name, r_fits):
    r = r_fits[name]
    fit = our_fit(table_of(name), name)
    for i in range(len(fit.beta)):
        weights = np.eye(len(fit.beta))[i]
        ours, kr = contrast(fit, weights, method="satterthwaite"), contrast(fit, weights)
        assert ours.estimate == pytest.approx(r["beta"][i], rel=1e-3, abs=1e-3)
        assert ours.standard_error == pytest.approx(r["se"][i], rel=1e-3)
        assert ours.df == pytest.approx(r["df"][i], rel=1e-3)
        assert kr.standard_error == pytest.approx(r["kr_se"][i], rel=1e-3)
        assert kr.df == pytest.approx(r["kr_df"][i], rel=1e-3)
    joint = f_test(fit, np.eye(len(fit.beta))[1:3])
    assert fit.criterion == pytest.approx(r["reml"], abs=1e-3)
    assert joint.f == pytest.approx(r["f"], rel=1e-3)
    assert joint.denominator_df == pytest.approx(r["ddf"], rel=1e-3)
    assert fit.singular == r["singular"]


def test_some_of_these_fits_are_singular_and_some_are_not():
    assert {our_fit(table_of(name), name).singular for name in FORMULAS} == {True, False}


def test_paired_design_gives_the_paired_t_test():
    rng = np.random.default_rng(4)
    person = np.repeat(np.arange(6), 2)
    after = np.tile([0.0, 1.0], 6)
    y = rng.normal(0, 2, 6)[person] + 1.2 * after + rng.normal(0, 0.5, 12)
    fit = fit_mixed(y, np.column_stack([np.ones(12), after]), ["1", "after"], [random_intercept("person", person)])
    differences = y[1::2] - y[::2]
    for method in ("kenward_roger", "satterthwaite"):
        found = contrast(fit, np.array([0.0, 1.0]), method=method)
        assert found.estimate == pytest.approx(differences.mean(), abs=1e-6)
        assert found.standard_error == pytest.approx(differences.std(ddof=1) / np.sqrt(6), rel=1e-4)
        assert found.df == pytest.approx(5, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: {"x": np.ones((len(t), 2))}, "rank 1"),
        (lambda t: {"y": np.full(len(t), np.nan)}, "finite numbers"),
        (lambda t: {"random": [random_intercept("person", np.zeros(len(t)))]}, "person: expected at least two groups"),
        (lambda t: {"random": [random_intercept("row", np.arange(len(t)))]}, "row: expected at least two groups"),
        (lambda _: {"random": []}, "at least one random term"),
    ],
)
def test_says_what_it_cannot_fit(change, message):
    table = small_study()
    given = {
        "y": table["y"].to_numpy(),
        "x": np.column_stack([np.ones(len(table)), table["after"]]),
        "names": ["1", "after"],
        "random": [random_intercept("person", table["person"])],
    } | change(table)
    with pytest.raises(InvalidInputError, match=message):
        fit_mixed(**given)
