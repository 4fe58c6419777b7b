"""The effects model by Hamiltonian Monte Carlo, digit by digit (PyMC's model, nutpie's sampler, loaded when needed).

The same terms and priors as :mod:`rewarm.effects.fast`, but nothing averaged: every digit has its constant and its
share of the effect, every person an own duration, and a value that was not reached by the last frame stays censored.
Convergence is judged by rank-normalised R-hat and effective draws (Vehtari et al. 2021,
doi 10.1214/20-BA1221).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import numpy as np

from rewarm.effects.draws import Draws, Floats, treated_names
from rewarm.effects.marginal import Layout, conditional, layout, marginal
from rewarm.effects.model import ModelData, course
from rewarm.errors import InvalidInputError

R_HAT_LIMIT: Final = 1.01
ESS_LIMIT: Final = 400.0
DURATION_SPREAD: Final = 0.2
"""Mean of the Gamma(2) prior of the standard deviation of log duration between people."""
_MEMORY: Final = 2_000_000
"""Numbers in the boxes of as many draws as are completed together."""
INSTALL: Final = "pip install 'rewarm[effects]'"


@dataclass(frozen=True)
class Sampling:
    """How long to sample, on ``cores`` threads; ``seed`` makes the draws repeatable."""

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
    with warnings.catch_warnings():
        # PyTensor warns that it found no BLAS, which its numba code does not need; its libraries of their own futures.
        warnings.simplefilter("ignore")
        return _sample(data, sampling)


def _sample(data: ModelData, sampling: Sampling) -> Draws:
    pymc, nutpie = _libraries()
    boxes = layout(data)
    model = _model(pymc, data, boxes)
    compiled = nutpie.compile_pymc_model(model, backend="numba")
    trace = nutpie.sample(
        compiled,
        chains=sampling.chains,
        tune=sampling.tune,
        draws=sampling.draws,
        cores=sampling.cores,
        seed=sampling.seed,
        target_accept=sampling.target_accept,
        progress_bar=False,
        save_warmup=False,
    )
    return _draws(data, boxes, trace, sampling.seed)


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


def _model(pymc: Any, data: ModelData, boxes: Layout) -> Any:
    """Priors of what is sampled, and the marginal likelihood of the values given that.

    A value that was not reached by the last frame is a parameter of its own, above that frame.
    """
    import pytensor.tensor as pt

    priors = data.priors
    with pymc.Model() as model:
        sd = {name: pymc.Gamma(f"sd_{name}", 2.0, 2.0 / priors.spreads[name]) for name in data.spreads}
        if data.has_offset:
            sd["offset"] = pymc.Beta("offset_share", *priors.offset_share)
        at_once = {name: value[None] for name, value in sd.items()}
        share = _course(pymc, data, boxes)
        y = _values(pymc, pt, data, boxes)
        found = marginal(pt, _solve_lower, data, boxes, at_once, share, y)
        pymc.Potential("y", found.log_likelihood[0])
    return model


def _course(pymc: Any, data: ModelData, boxes: Layout) -> Any:
    """Share of the full effect at each person's visits, (1, people, visits); 0 where the person was not treated."""
    priors, tensor, count = data.priors, pymc.math, len(data.treated_people)
    onset = tensor.exp(pymc.Normal("log_onset", *priors.log_onset))
    shape = tensor.exp(pymc.Normal("log_shape", *priors.log_shape))
    log_duration = pymc.Normal("log_duration", *priors.log_duration)
    if count > 1:
        spread = pymc.Gamma("sd_duration", 2.0, 2.0 / DURATION_SPREAD)
        log_duration = log_duration + pymc.Normal("z_duration", shape=count) * spread
    else:
        log_duration = log_duration + np.zeros(1)
    pymc.Deterministic("onset", onset)
    pymc.Deterministic("shape", shape)
    pymc.Deterministic("duration", tensor.exp(log_duration))
    order = np.zeros(len(data.people), dtype=np.int64)
    order[data.treated_people] = np.arange(count)
    day = np.where(boxes.day > 0, boxes.day, 1.0)
    worn = tensor.minimum(shape * (np.log(day) - log_duration[order][:, None]), 6.0)
    share = (1.0 - tensor.exp(-day / onset)) * tensor.exp(-tensor.exp(worn))
    return (share * (boxes.day > 0))[None]


def _values(pymc: Any, pt: Any, data: ModelData, boxes: Layout) -> Any:
    """The values in their boxes, (1, P, S, D, T)."""
    if data.reached.all():
        return boxes.y[None]
    rows = np.flatnonzero(~data.reached)
    beyond = pymc.HalfFlat("beyond", shape=len(rows), initval=np.full(len(rows), 0.5))
    at = tuple(index[rows] for index in boxes.at)
    return pt.inc_subtensor(pt.as_tensor_variable(boxes.y)[at], beyond)[None]


def _solve_lower(lower: Any, b: Any) -> Any:
    import pytensor.tensor as pt

    return pt.linalg.solve_triangular(lower, b, lower=True)


def _draws(data: ModelData, boxes: Layout, trace: Any, seed: int) -> Draws:
    import arviz

    posterior = trace.posterior
    chains, length = int(posterior.sizes["chain"]), int(posterior.sizes["draw"])

    def flat(name: str) -> Floats:
        values = posterior[name].to_numpy()
        return np.asarray(values.reshape(-1, *values.shape[2:]), dtype=np.float64)

    sd = {name: flat(f"sd_{name}") for name in data.spreads}
    if data.has_offset:
        sd["offset"] = flat("offset_share")
    onset, duration, shape = flat("onset"), flat("duration"), flat("shape")
    everybody = np.ones((len(onset), len(data.people)))
    everybody[:, data.treated_people] = duration
    beyond = np.zeros((len(onset), 0)) if data.reached.all() else flat("beyond")
    effect, population, beta = _integrated(data, boxes, sd, (onset, everybody, shape), beyond, seed)
    judged: dict[str, Floats] = {"population": population, "effect": effect, "onset": onset, "duration": duration}
    judged |= {"shape": shape, **{f"sd_{name}": sd[name] for name in data.spreads}}
    by_chain = {name: values.reshape(chains, length, *values.shape[1:]) for name, values in judged.items()}
    dataset = arviz.convert_to_dataset(by_chain)
    r_hat = max(float(value.max()) for value in arviz.rhat(dataset).data_vars.values())
    ess = min(float(value.min()) for value in arviz.ess(dataset).data_vars.values())
    diverging = float(trace.sample_stats["diverging"].sum())
    unit = data.unit
    others = {f"sd_{name}": sd[name] * unit for name in data.spreads}
    others |= {f"b_{name}": beta[:, i] * unit for i, name in enumerate(data.names)}
    if data.has_offset:
        others["offset_share"] = sd["offset"]
    return Draws(
        people=treated_names(data),
        last_day=data.last_day[data.treated_people],
        person=effect * unit,
        population=population * unit,
        onset=onset,
        duration=duration,
        shape=shape,
        others=others,
        chains=chains,
        diagnostics={"r_hat": r_hat, "effective_draws": ess, "divergences": diverging},
        method="Hamiltonian Monte Carlo (PyMC, nutpie), Gaussian terms integrated",
        trouble=_trouble(r_hat, ess, diverging, len(beta)),
    )


def _integrated(
    data: ModelData,
    boxes: Layout,
    sd: dict[str, Floats],
    courses: tuple[Floats, Floats, Floats],
    beyond: Floats,
    seed: int,
) -> tuple[Floats, Floats, Floats]:
    """Effects, population and coefficients of each draw, from their conditional; a few draws at a time."""
    rng = np.random.default_rng(seed)
    onset, duration, shape = courses
    rows = np.flatnonzero(~data.reached)
    at = tuple(index[rows] for index in boxes.at)
    size = max(1, _MEMORY // boxes.fixed.size)
    parts = []
    for start in range(0, len(onset), size):
        some = slice(start, start + size)
        spreads = {name: values[some] for name, values in sd.items()}
        ago = boxes.day[None], onset[some, None, None], duration[some, :, None], shape[some, None, None]
        y = np.repeat(boxes.y[None], len(spreads["residual"]), axis=0)
        y[(slice(None), *at)] += beyond[some]
        found = marginal(np, np.linalg.solve, data, boxes, spreads, course(*ago), y)
        parts.append(conditional(data, boxes, found, y, rng))
    effects, population, beta = zip(*parts, strict=True)
    return np.concatenate(effects), np.concatenate(population), np.concatenate(beta)


def _trouble(r_hat: float, ess: float, diverging: float, count: int) -> str:
    found = []
    if not r_hat <= R_HAT_LIMIT:
        found.append(f"R-hat is {r_hat:.3f} (at most {R_HAT_LIMIT} is fine)")
    if not ess >= ESS_LIMIT:
        found.append(f"{ess:.0f} effective draws (at least {ESS_LIMIT:.0f} are fine)")
    if diverging > ceil(count / 1000):
        found.append(f"{diverging:.0f} of {count} steps diverged")
    return f"The sampler did not converge well: {', '.join(found)}. Treat intervals as provisional" if found else ""
