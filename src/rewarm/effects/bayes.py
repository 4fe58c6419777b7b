"""The effects model by Hamiltonian Monte Carlo, digit by digit (nutpie's NUTS, loaded when needed).

The same terms and priors as :mod:`rewarm.effects.fast`, but nothing averaged: every digit has its constant and its
share of the effect, every person an own duration, and a value that was not reached by the last frame stays censored.
What is Gaussian is integrated exactly while sampling and drawn afterwards, so that the sampler moves in spreads, course
and censored values alone.
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
from rewarm.effects.posterior import Named, log_density, named, start_of, vector_of
from rewarm.errors import InvalidInputError

R_HAT_LIMIT: Final = 1.01
ESS_LIMIT: Final = 400.0
_MEMORY: Final = 2_000_000
"""Numbers in the boxes of as many draws as are completed together."""
INSTALL: Final = "pip install 'rewarm[effects]'"


@dataclass(frozen=True)
class Sampling:
    """How long to sample, on ``cores`` threads; ``seed`` makes the draws repeatable."""

    chains: int = 4
    tune: int = 500
    draws: int = 600
    cores: int = 2
    seed: int = 1
    target_accept: float = 0.9


DEFAULT_SAMPLING: Final = Sampling()


def fit_bayes(data: ModelData, *, sampling: Sampling = DEFAULT_SAMPLING) -> Draws:
    """Draws from the posterior of the effects model, with their diagnostics.

    ``trouble`` of the result says in a sentence where R-hat is over 1.01, fewer than 400 draws are effective, or the
    sampler diverged.

    Raises :class:`InvalidInputError` where nutpie or numba is not installed.
    """
    with warnings.catch_warnings():
        # Libraries warn of their own futures.
        warnings.simplefilter("ignore")
        return _sample(data, sampling)


def _sample(data: ModelData, sampling: Sampling) -> Draws:
    nutpie = _library()
    from nutpie.compiled_pyfunc import from_pyfunc

    boxes = layout(data)
    density = log_density(data, boxes)
    model = from_pyfunc(
        vector_of(data).size,
        lambda: density,
        lambda *_: lambda vector: {"vector": vector},
        [np.dtype(np.float64)],
        [(vector_of(data).size,)],
        ["vector"],
        make_initial_point_fn=lambda seed: start_of(data, seed),
    )
    trace = nutpie.sample(
        model,
        chains=sampling.chains,
        tune=sampling.tune,
        draws=sampling.draws,
        cores=sampling.cores,
        seed=sampling.seed,
        target_accept=sampling.target_accept,
        progress_bar=False,
        save_warmup=False,
    )
    vectors = trace.posterior["vector"].to_numpy()
    return _draws(data, boxes, vectors, float(trace.sample_stats["diverging"].sum()), sampling.seed)


def _library() -> Any:
    try:
        import numba  # noqa: F401, which the density is compiled by
        import nutpie
    except ImportError as error:
        raise InvalidInputError(
            f"expected nutpie and numba for the Bayesian model; found no {error.name}. Install them with: {INSTALL}, "
            "or use the fast estimator (--fast)"
        ) from None
    return nutpie


def _draws(data: ModelData, boxes: Layout, vectors: Floats, diverging: float, seed: int) -> Draws:
    """From vectors (chains, draws, size) to everything that was asked for, with what was integrated."""
    import arviz

    chains, length, size = vectors.shape
    found = named(data, vectors.reshape(-1, size))
    sd, onset, duration = found.sd, found.onset, found.duration
    effect, population, beta = _integrated(data, boxes, found, seed)
    judged: dict[str, Floats] = {"population": population, "effect": effect, "onset": onset, "duration": duration}
    judged |= {"shape": found.shape, "tail": found.tail, "rise": found.rise}
    judged |= {f"sd_{name}": sd[name] for name in data.spreads}
    by_chain = {name: values.reshape(chains, length, *values.shape[1:]) for name, values in judged.items()}
    dataset = arviz.convert_to_dataset(by_chain)
    r_hat = max(float(value.max()) for value in arviz.rhat(dataset).data_vars.values())
    ess = min(float(value.min()) for value in arviz.ess(dataset).data_vars.values())
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
        shape=found.shape,
        tail=found.tail,
        rise=found.rise,
        others=others,
        chains=chains,
        diagnostics={"r_hat": r_hat, "effective_draws": ess, "divergences": diverging},
        method="Hamiltonian Monte Carlo (nutpie), Gaussian terms integrated",
        trouble=_trouble(r_hat, ess, diverging, len(beta)),
    )


def _integrated(data: ModelData, boxes: Layout, found: Named, seed: int) -> tuple[Floats, Floats, Floats]:
    """Effects, population and coefficients of each draw, from their conditional; a few draws at a time."""
    rng = np.random.default_rng(seed)
    who, limb, digit, visit = (index[~data.reached] for index in boxes.at)
    size = max(1, _MEMORY // boxes.fixed.size)
    parts = []
    for start in range(0, len(found.onset), size):
        some = slice(start, start + size)
        spreads = {name: values[some] for name, values in found.sd.items()}
        lasts = np.ones((len(found.onset[some]), len(data.people)))
        lasts[:, data.treated_people] = found.duration[some]
        onset, *forms = (values[some, None, None] for values in (found.onset, found.shape, found.tail, found.rise))
        y = np.repeat(boxes.y[None], len(lasts), axis=0)
        y[:, who, limb, digit, visit] += found.beyond[some]
        left = marginal(data, boxes, spreads, course(boxes.day[None], onset, lasts[:, :, None], *forms), y)
        parts.append(conditional(data, boxes, left, y, rng))
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
