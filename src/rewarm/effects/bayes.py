"""The effects model by Hamiltonian Monte Carlo, digit by digit (PyMC's model, nutpie's sampler, loaded when needed).

The same terms and priors as :mod:`rewarm.effects.fast`, but nothing averaged: every digit has its constant and its
share of the effect, every person an own duration, and a value that was not reached by the last frame stays censored.
Convergence is judged by rank-normalised R-hat and effective draws (Vehtari et al. 2021,
doi 10.1214/20-BA1221).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import numpy as np

from rewarm.effects.draws import Draws, Floats, treated_names
from rewarm.effects.model import ENROLMENT, Ints, ModelData
from rewarm.errors import InvalidInputError

R_HAT_LIMIT: Final = 1.01
ESS_LIMIT: Final = 400.0
DURATION_SPREAD: Final = 0.2
"""Mean of the Gamma(2) prior of the standard deviation of log duration between people."""
MANY_ROWS: Final = 2_000
INSTALL: Final = "pip install 'rewarm[effects]'"


@dataclass(frozen=True)
class Sampling:
    """How long to sample, on ``cores`` threads; ``seed`` makes the draws repeatable.

    Of more than :data:`MANY_ROWS` rows, half as many draws are taken: each then costs ten times as much.
    """

    chains: int = 4
    tune: int = 700
    draws: int = 800
    cores: int = 2
    seed: int = 1
    target_accept: float = 0.95


DEFAULT_SAMPLING: Final = Sampling()


def fit_bayes(data: ModelData, *, sampling: Sampling = DEFAULT_SAMPLING) -> Draws:
    """Draws from the posterior of the effects model, with their diagnostics.

    ``trouble`` of the result says in a sentence where R-hat is over 1.01, fewer than 400 draws are effective, or the
    sampler diverged.

    Raises :class:`InvalidInputError` where PyMC or nutpie is not installed.
    """
    pymc, nutpie = _libraries()
    model = _model(pymc, data)
    few = 2 if len(data.y) > MANY_ROWS else 1
    compiled = nutpie.compile_pymc_model(model, backend="numba")
    trace = nutpie.sample(
        compiled,
        chains=sampling.chains,
        tune=sampling.tune // few,
        draws=sampling.draws // few,
        cores=sampling.cores,
        seed=sampling.seed,
        target_accept=sampling.target_accept,
        progress_bar=False,
        save_warmup=False,
    )
    return _draws(data, trace)


def _libraries() -> tuple[Any, Any]:
    try:
        import nutpie
        import pymc
    except ImportError as error:
        raise InvalidInputError(
            f"expected PyMC and nutpie for the Bayesian model; found no {error.name}. Install them with: {INSTALL}, or "
            "use the fast estimator (--fast)"
        ) from None
    return pymc, nutpie


def _model(pymc: Any, data: ModelData) -> Any:
    """Everything that is a deviation is sampled as a standard normal and scaled (non-centred), but digits' constants.

    These are known well from many visits, so they are sampled as they are (centred).
    """
    priors = data.priors
    tensor = pymc.math
    people, digits = len(data.people), int(data.digit.max()) + 1
    with pymc.Model() as model:
        sd = {name: pymc.Gamma(f"sd_{name}", 2.0, 2.0 / priors.spreads[name]) for name in data.spreads}
        standard = pymc.Normal("beta", 0.0, 1.0, shape=len(data.names)) * data.prior_sd + data.prior_mean
        scaled = np.array([float(name == ENROLMENT) for name in data.names])
        beta = standard * (1.0 - scaled + scaled * sd["visit"])
        person = pymc.Normal("z_person", shape=people) * sd["person"]
        limb = pymc.Normal("z_limb", shape=int(data.limb.max()) + 1) * sd["limb"]
        constant = person[_first(data.person, data.digit)] + limb[_first(data.limb, data.digit)]
        digit = pymc.Normal("digit", constant, sd["digit"], shape=digits)
        visit_sd = tensor.sqrt(sd["visit"] ** 2 + data.u_visit**2)
        visit = pymc.Normal("z_visit", shape=len(data.u_visit)) * visit_sd
        visit_limb = pymc.Normal("z_visit_limb", shape=int(data.visit_limb.max()) + 1) * sd["visit_limb"]
        mean = tensor.dot(data.columns, beta) + digit[data.digit] + visit[data.visit] + visit_limb[data.visit_limb]
        if data.slopes.shape[1]:
            own = pymc.Normal("z_slope", shape=(people, data.slopes.shape[1])) * data.slope_sd
            mean = mean + (own[data.person] * data.slopes).sum(axis=1)
        if data.parallel:
            change = pymc.Normal("z_change", shape=people) * sd["change"]
            mean = mean + change[data.person] * data.after
        mean = mean + _effect(pymc, data, sd)
        noise = tensor.sqrt(sd["residual"] ** 2 + data.u_own**2)
        _observe(pymc, data, mean, noise)
    return model


def _effect(pymc: Any, data: ModelData, sd: dict[str, Any]) -> Any:
    """What the injections add to each row; zero where untreated."""
    priors, rows = data.priors, np.flatnonzero((data.treated > 0) & (data.day > 0))
    order = np.full(len(data.people), -1)
    order[data.treated_people] = np.arange(len(data.treated_people))
    treated_digits = np.unique(data.digit[data.treated > 0])
    place = np.searchsorted(treated_digits, data.digit[rows])
    person_of_digit = order[data.person[_first_rows(data.digit)][treated_digits]]
    tensor, count = pymc.math, len(data.treated_people)
    population = pymc.Normal("population", 0.0, priors.effect_sd)
    person = population + pymc.Normal("z_effect_person", shape=count) * sd["effect_person"]
    digit = person[person_of_digit] + pymc.Normal("z_effect_digit", shape=len(treated_digits)) * sd["effect_digit"]
    onset = tensor.exp(pymc.Normal("log_onset", *priors.log_onset))
    shape = tensor.exp(pymc.Normal("log_shape", *priors.log_shape))
    log_duration = pymc.Normal("log_duration", *priors.log_duration)
    if count > 1:
        spread = pymc.Gamma("sd_duration", 2.0, 2.0 / DURATION_SPREAD)
        log_duration = log_duration + pymc.Normal("z_duration", shape=count) * spread
    else:
        log_duration = log_duration + np.zeros(1)
    matrix = (np.arange(count)[:, None] == person_of_digit[None, :]).astype(float)
    pymc.Deterministic("effect", tensor.dot(matrix / matrix.sum(axis=1, keepdims=True), digit))
    pymc.Deterministic("onset", onset)
    pymc.Deterministic("shape", shape)
    pymc.Deterministic("duration", tensor.exp(log_duration))
    day = data.day[rows]
    log_worn = shape * (np.log(day) - log_duration[order[data.person[rows]]])
    share = (1.0 - tensor.exp(-day / onset)) * tensor.exp(-tensor.exp(tensor.minimum(log_worn, 6.0)))
    where = np.full(len(data.y), len(rows))
    where[rows] = np.arange(len(rows))
    return tensor.concatenate([digit[place] * share, np.zeros(1)])[where]


def _observe(pymc: Any, data: ModelData, mean: Any, noise: Any) -> None:
    if data.reached.all():
        pymc.Normal("y", mean, noise, observed=data.y)
        return
    upper = np.where(data.reached, np.inf, data.y)
    pymc.Censored("y", pymc.Normal.dist(mean, noise), lower=None, upper=upper, observed=data.y)


def _first_rows(codes: Ints) -> Ints:
    return np.asarray(np.unique(codes, return_index=True)[1], dtype=np.int64)


def _first(values: Ints, codes: Ints) -> Ints:
    """The value that goes with each code."""
    return np.asarray(values[_first_rows(codes)])


def _draws(data: ModelData, trace: Any) -> Draws:
    import arviz

    posterior = trace.posterior

    def flat(name: str) -> Floats:
        values = posterior[name].to_numpy()
        return np.asarray(values.reshape(-1, *values.shape[2:]), dtype=np.float64)

    judged = ["population", "effect", "onset", "duration", "shape", *(f"sd_{name}" for name in data.spreads)]
    r_hat = max(float(value.max()) for value in arviz.rhat(trace, var_names=judged).data_vars.values())
    ess = min(float(value.min()) for value in arviz.ess(trace, var_names=judged).data_vars.values())
    diverging = float(trace.sample_stats["diverging"].sum())
    unit = data.unit
    others = {f"sd_{name}": flat(f"sd_{name}") * unit for name in data.spreads}
    beta = flat("beta") * data.prior_sd + data.prior_mean
    scaled = np.array(data.names) == ENROLMENT
    beta = np.where(scaled, beta * flat("sd_visit")[:, None], beta)
    others |= {f"b_{name}": beta[:, i] * unit for i, name in enumerate(data.names)}
    return Draws(
        people=treated_names(data),
        last_day=data.last_day[data.treated_people],
        person=flat("effect") * unit,
        population=flat("population") * unit,
        onset=flat("onset"),
        duration=flat("duration"),
        shape=flat("shape"),
        others=others,
        chains=int(posterior.sizes["chain"]),
        diagnostics={"r_hat": r_hat, "effective_draws": ess, "divergences": diverging},
        method="Hamiltonian Monte Carlo (PyMC, nutpie)",
        trouble=_trouble(r_hat, ess, diverging, len(beta)),
    )


def _trouble(r_hat: float, ess: float, diverging: float, count: int) -> str:
    found = []
    if not r_hat <= R_HAT_LIMIT:
        found.append(f"R-hat is {r_hat:.3f} (at most {R_HAT_LIMIT} is fine)")
    if not ess >= ESS_LIMIT:
        found.append(f"{ess:.0f} effective draws (at least {ESS_LIMIT:.0f} are fine)")
    if diverging > ceil(count / 1000):
        found.append(f"{diverging:.0f} of {count} steps diverged")
    return f"The sampler did not converge well: {', '.join(found)}. Treat intervals as provisional" if found else ""
