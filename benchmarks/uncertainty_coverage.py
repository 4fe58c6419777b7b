"""Do 95 % intervals hold the truth in 95 % of simulated cases?

python benchmarks/uncertainty_coverage.py [--cases 2000] [--seed 1]

A camera is simulated that knows nothing of parts, scopes or budgets: it computes what a detector would see of two toes
and an arch, through air, with everything a little other than stated, spoils it, and turns it back into temperatures
with the parameters that it was set to. How large each error is, is drawn from the very specification that the estimator
is handed (:class:`rewarm.measures.Assumptions` and the camera's data sheet), by the distribution that the specification
names: a bound ±a is a rectangle, "95 % of the places within ±a" and a noise are normal. Nothing is fitted. The limit to
hold it against is 95 %. Then the camera is made worse than it says, to see what a wrong specification costs.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import hypot, pi, sqrt

import cv2
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from rewarm.measures import (
    Assumptions,
    Part,
    apply_reference,
    change_parts,
    combined_parts,
    expanded_u_c,
    reference_offset,
    region_parts,
)
from rewarm.thermogram import Calibration, CameraIdentity, ObjectParameters, Provenance, make_thermogram

Floats = NDArray[np.float64]
Masks = Mapping[str, NDArray[np.bool_]]

SHAPE = (64, 96)
DISCS = {"left toe": (20.0, 16.0, 8.0), "right toe": (60.0, 17.0, 8.0), "arch": (24.0, 44.0, 12.0)}
BLACK_BODY = (80, 24, 92, 40)
REFERENCE_C = 30.0
CONFIDENCE = 0.95

CALIBRATION = Calibration(
    16000.0, 0.0125, 1420.0, 1.0, -4500.0, 0.006569, 0.01262, -0.002276, -0.00667, 1.9
)  # a plain handheld camera's
SET = ObjectParameters(emissivity=0.98, reflected_c=23.0, distance_m=0.8, humidity_pct=45.0, air_c=23.0)


@dataclass(frozen=True)
class Camera:
    """What a camera really is, against what is said of it: each figure multiplies the specified one."""

    accuracy: float = 1.0
    drift: float = 1.0
    nonuniformity: float = 1.0
    reach: float = 1.0
    noise: float = 1.0
    emissivity: float = 1.0
    reflected: float = 1.0
    air: float = 1.0
    edge: float = 1.0
    blur: float = 1.0
    reference: float = 1.0
    same_camera: bool = False


@dataclass(frozen=True)
class Specification:
    """What both the simulated camera and the estimator are told; and how warm the toes are that it looks at.

    Toes of patients lie around the bed's 22 °C and above it; healthy ones have 26.2 ± 1.2 °C (doi 10.1155/2015/831369).
    """

    accuracy_c: float = 2.0
    netd_mk: float = 80.0
    reference_half_width_c: float = 0.3
    toes_c: tuple[float, float] = (21.0, 30.0)
    assumed: Assumptions = field(default_factory=Assumptions)


@dataclass(frozen=True)
class Shot:
    """What was really there, and what the camera and the finder made of it."""

    truth_c: Mapping[str, float]
    picture_c: Floats
    drawn: Masks


def radiation(celsius: Floats | float) -> Floats:
    """Planck's law in the camera's counts, without its offset."""
    kelvin = np.asarray(celsius, dtype=np.float64) + 273.15
    return np.asarray(16000.0 / (0.0125 * (np.exp(1420.0 / kelvin) - 1.0)))


def celsius_of(counts: Floats) -> Floats:
    return np.asarray(1420.0 / np.log(16000.0 / (0.0125 * counts) + 1.0) - 273.15)


def through_air(distance_m: float, humidity_pct: float, air_c: float) -> float:
    """The maker's model of the air's transmission, with its usual constants."""
    water = humidity_pct / 100 * np.exp(1.5587 + 0.06939 * air_c - 0.00027816 * air_c**2 + 6.8455e-7 * air_c**3)
    one = np.exp(-np.sqrt(distance_m) * (0.006569 - 0.002276 * np.sqrt(water)))
    two = np.exp(-np.sqrt(distance_m) * (0.01262 - 0.00667 * np.sqrt(water)))
    return float(1.9 * one - 0.9 * two)


class Simulator:
    """Draws visits of one specification and one camera; holds the pixel grid and the modes of non-uniformity."""

    def __init__(self, specification: Specification, camera: Camera, seed: int) -> None:
        self.said, self.camera, self.rng = specification, camera, np.random.default_rng(seed)
        rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
        self.x, self.y = columns, rows
        reach_px = camera.reach * specification.assumed.nonuniformity_reach * hypot(*SHAPE)
        self.modes = [smooth_modes(length, reach_px) for length in SHAPE]

    def off(self, half_width: float) -> float:
        """Anything within a stated bound."""
        return float(self.rng.uniform(-half_width, half_width))

    def offset_c(self) -> float:
        return self.off(self.camera.accuracy * self.said.accuracy_c)

    def take(self, offset_c: float) -> Shot:
        """One visit: another day, another drift, another outline."""
        scene = np.full(SHAPE, 22.0)
        skin = np.zeros(SHAPE)
        truth: dict[str, float] = {}
        drawn: dict[str, NDArray[np.bool_]] = {}
        for name, (cx, cy, radius) in DISCS.items():
            distance = np.hypot(self.x - cx, self.y - cy)
            edge = np.clip(radius + 1.0 - distance, 0.0, 1.0)  # a foot ends sharply, within a pixel
            warm_c = self.rng.uniform(27.0, 31.0) if name == "arch" else self.rng.uniform(*self.said.toes_c)
            scene += (warm_c - 22.0 + 0.05 * (self.x - cx) - 0.004 * distance**2) * edge
            skin = np.maximum(skin, edge)
            true_mask = distance <= radius
            truth[name] = float(scene[true_mask].mean())
            drawn[name] = self.draw(cx, cy, radius)
        x0, y0, x1, y1 = BLACK_BODY
        scene[y0 - 2 : y1 + 2, x0 - 2 : x1 + 2] = REFERENCE_C + self.off(
            self.camera.reference * self.said.reference_half_width_c
        )
        seen = self.radiometry(self.optics(scene), skin)
        seen += offset_c + self.off(self.camera.drift * self.said.assumed.drift_c)
        seen += self.pattern() + self.noise()
        return Shot(truth, seen, drawn)

    def draw(self, cx: float, cy: float, radius: float) -> NDArray[np.bool_]:
        """The outline as it was drawn: half a pixel off at most, and as doubtful as the finder says."""
        doubt = self.camera.edge * (1.0 - CONFIDENCE) * radius
        angle, shift = self.rng.uniform(0, 2 * pi), self.off(doubt)
        larger = self.off(self.camera.edge * self.said.assumed.edge_px) + self.off(doubt)
        distance = np.hypot(self.x - cx - shift * np.cos(angle), self.y - cy - shift * np.sin(angle))
        return np.asarray(distance <= radius + larger)

    def optics(self, scene: Floats) -> Floats:
        """Blur and scattered light: each anything from none to twice what is said."""
        said = self.said.assumed
        width, share = self.camera.blur * self.rng.uniform(0, 2, 2) * (said.blur_px, said.scatter)
        down, across = np.fft.fftfreq(SHAPE[0])[:, None], np.fft.rfftfreq(SHAPE[1])[None, :]
        squared = 2 * pi**2 * (down**2 + across**2)  # in frequencies, where a blur of less than a pixel is exact
        transfer = (1 - share) * np.exp(-squared * width**2) + share * np.exp(-squared * said.scatter_px**2)
        return np.asarray(np.fft.irfft2(np.fft.rfft2(scene) * transfer, s=SHAPE))

    def radiometry(self, scene: Floats, skin: Floats) -> Floats:
        """What the detector sees with the parameters as they are, read with the parameters as they are set."""
        said, camera = self.said.assumed, self.camera
        emissivity = 0.98 + skin * self.off(camera.emissivity * said.emissivity_half_width)
        reflected_c = 23.0 + self.off(camera.reflected * said.reflected_half_width_c)
        air_c = 23.0 + self.off(camera.air * said.air_half_width_c)
        tau = through_air(
            0.8 + self.off(min(camera.air, 2.5) * said.distance_half_width_m),
            45.0 + self.off(min(camera.air, 2.5) * said.humidity_half_width_pct),
            air_c,
        )
        seen = tau * (emissivity * radiation(scene) + (1 - emissivity) * radiation(reflected_c))
        seen += (1 - tau) * radiation(air_c)
        set_tau = through_air(0.8, 45.0, 23.0)
        around = set_tau * 0.02 * radiation(23.0) + (1 - set_tau) * radiation(23.0)
        return celsius_of((seen - around) / (0.98 * set_tau))

    def pattern(self) -> Floats:
        """A smooth random field, 95 % of which lies within the stated half-width."""
        spread_c = self.camera.nonuniformity * self.said.assumed.nonuniformity_c / 1.959964
        down, across = self.modes
        weights = self.rng.normal(0, spread_c, (down.shape[1], across.shape[1]))
        return np.asarray(down @ weights @ across.T)

    def noise(self) -> Floats:
        """Noise of the stated size, in which as many neighbours as stated are alike: white noise, blurred a little."""
        width = sqrt(self.said.assumed.noise_shared_px / (4 * pi))
        rough = cv2.GaussianBlur(self.rng.normal(0, 1, SHAPE), (0, 0), width)
        return np.asarray(rough * (self.camera.noise * self.said.netd_mk / 1000.0) * sqrt(4 * pi) * width)

    def thermogram(self, shot: Shot) -> xr.Dataset:
        return make_thermogram(
            shot.picture_c,
            provenance=Provenance("simulated", "", "simulator", "0"),
            camera=CameraIdentity(accuracy_c=self.said.accuracy_c, netd_mk=self.said.netd_mk),
            parameters=SET,
            calibration=CALIBRATION,
        )


def smooth_modes(length: int, reach_px: float) -> Floats:
    """A factor F of exp(−d²/2ℓ²) = F·Fᵀ between the pixels of a line."""
    apart = np.subtract.outer(np.arange(length), np.arange(length))
    values, vectors = np.linalg.eigh(np.exp(-(apart**2) / (2 * reach_px**2)))
    kept = values > 1e-8
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


@dataclass(frozen=True)
class Estimate:
    """What is reported of one picture: means and budgets."""

    means: Mapping[str, float]
    parts: Mapping[str, tuple[Part, ...]]


def estimate(
    thermogram: xr.Dataset, shot: Shot, said: Specification, names: tuple[str, ...] = tuple(DISCS)
) -> Estimate:
    picture = thermogram["temperature"].to_numpy()
    return Estimate(
        {name: float(picture[shot.drawn[name]].mean()) for name in names},
        {
            name: region_parts(thermogram, shot.drawn[name], confidence=CONFIDENCE, assumptions=said.assumed)
            for name in names
        },
    )


def one_case(simulator: Simulator) -> list[tuple[str, float, float, float]]:
    """Two visits: (quantity, error, standard uncertainty, half-width of the 95 % interval), °C."""
    said = simulator.said
    first = simulator.offset_c()
    shots = [simulator.take(first), simulator.take(first if simulator.camera.same_camera else simulator.offset_c())]
    pictures = [simulator.thermogram(shot) for shot in shots]
    plain = [estimate(*pair, said) for pair in zip(pictures, shots, strict=True)]
    tied = [
        estimate(tie(picture, said), shot, said, ("left toe",)) for picture, shot in zip(pictures, shots, strict=True)
    ]

    def level(each: Estimate, truth: Mapping[str, float], names: tuple[str, ...]) -> tuple[float, tuple[Part, ...]]:
        signs = (1.0, -1.0)[: len(names)]
        error = sum(sign * (each.means[name] - truth[name]) for sign, name in zip(signs, names, strict=True))
        return error, combined_parts([(sign, each.parts[name]) for sign, name in zip(signs, names, strict=True)])

    def row(quantity: str, error: float, parts: tuple[Part, ...]) -> tuple[str, float, float, float]:
        return quantity, error, sqrt(sum(part.u_c**2 for part in parts)), expanded_u_c(parts)

    rows = []
    for quantity, estimates, names in (
        ("toe", plain, ("left toe",)),
        ("left − right", plain, ("left toe", "right toe")),
        ("toe − arch", plain, ("left toe", "arch")),
        ("toe, reference in view", tied, ("left toe",)),
    ):
        levels = [level(each, shot.truth_c, names) for each, shot in zip(estimates, shots, strict=True)]
        rows.append(row(quantity, *levels[0]))
        (before, parts_before), (after, parts_after) = levels
        rows.append(row(f"change of {quantity}", after - before, change_parts(parts_before, parts_after)))
    return rows


def tie(thermogram: xr.Dataset, said: Specification) -> xr.Dataset:
    offset = reference_offset(
        thermogram,
        reference_c=REFERENCE_C,
        reference_box=BLACK_BODY,
        reference_half_width_c=said.reference_half_width_c,
        assumptions=said.assumed,
    )
    return apply_reference(thermogram, offset)


def coverage(
    cases: int, *, seed: int, camera: Camera | None = None, specification: Specification | None = None
) -> pd.DataFrame:
    """Per quantity: share of truths inside the 95 % interval and inside ± 1.96 u, the errors' size, the mean u."""
    simulator = Simulator(specification or Specification(), camera or Camera(), seed)
    table = pd.DataFrame(
        [row for _ in range(cases) for row in one_case(simulator)], columns=["quantity", "error", "u", "half"]
    )
    size = table["error"].abs()
    table = table.assign(
        covered=size <= table["half"], within=size <= 1.959964 * table["u"], square=table["error"] ** 2
    )
    groups = table.groupby("quantity", sort=False)
    return pd.DataFrame(
        {
            "covered": groups["covered"].mean(),
            "within_196_u": groups["within"].mean(),
            "rms_error_c": np.sqrt(groups["square"].mean()),
            "mean_u_c": groups["u"].mean(),
        }
    )


WORSE = {
    "non-uniformity twice the stated": Camera(nonuniformity=2.0),
    "non-uniformity changes over half the distance": Camera(reach=0.5),
    "accuracy ±3 °C instead of ±2 °C": Camera(accuracy=1.5),
    "drift twice the stated": Camera(drift=2.0),
    "noise three times the stated": Camera(noise=3.0),
    "emissivity ±0.03 instead of ±0.01": Camera(emissivity=3.0),
    "surroundings and air ±6 °C instead of ±2 °C": Camera(reflected=3.0, air=3.0),
    "outlines twice as far off": Camera(edge=2.0),
    "blur twice the stated": Camera(blur=2.0),
    "reference ±0.6 °C instead of ±0.3 °C": Camera(reference=2.0),
    "everything better: half the stated": replace(
        Camera(), accuracy=0.5, drift=0.5, nonuniformity=0.5, noise=0.5, emissivity=0.5, reflected=0.5, air=0.5,
        edge=0.5, blur=0.5, reference=0.5,
    ),
    "one camera at both visits, whose calibration cancels": Camera(same_camera=True),
}  # fmt: skip


def main() -> None:
    """Print two markdown tables; exit with status 1 where a coverage as specified leaves 93–97 %."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    held = coverage(given.cases, seed=given.seed)
    print(f"{given.cases} cases, the camera as specified\n")
    print("| quantity | in the 95 % interval | within 1.96 u | rms error, °C | mean u, °C |\n|---|---|---|---|---|")
    for name, row in held.iterrows():
        print(
            f"| {name} | {row['covered']:.1%} | {row['within_196_u']:.1%} "
            f"| {row['rms_error_c']:.2f} | {row['mean_u_c']:.2f} |"
        )
    print("\nThe camera, or what it looks at, other than specified: truths in the 95 % interval")
    print(f"({given.cases // 2} cases each)\n")
    print(f"| what is different | {' | '.join(map(str, held.index))} |\n|---|{'---|' * len(held)}")
    warm = Specification(toes_c=(27.0, 33.0))
    others = {words: (camera, Specification()) for words, camera in WORSE.items()}
    for words, (camera, said) in (others | {"toes 5 to 11 °C over the bed": (Camera(), warm)}).items():
        worse = coverage(given.cases // 2, seed=given.seed + 1, camera=camera, specification=said)
        print(f"| {words} | {' | '.join(f'{share:.1%}' for share in worse['covered'])} |")
    raise SystemExit(0 if held["covered"].between(0.93, 0.97).all() else 1)


if __name__ == "__main__":
    main()
