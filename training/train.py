"""Train the learned finder on simulated scenes.

Run: python -m training.train --minutes 85, and with --resume to go on after a stop. Then: python -m training.export.
"""

from __future__ import annotations

import argparse
import copy
import ctypes
import math
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from rewarm.anatomy.close_up import CLOSE_UP_CHANNELS, Frame, guides_in, guides_of
from training.data import Batch, batches_of_workers, encoded, generate_layouts, held_out_scenes, stacked
from training.network import FOOT, WIDTHS, FinderNetwork, full_resolution, losses
from training.optimizer import MuonAndAdamW

TOES: Final = tuple(FOOT[:5])
_EMA: Final = 0.999
_WARM_UP: Final = 0.04
_LAST_RATE: Final = 0.005
"""Learning rate at the end, as a share of the highest."""


@dataclass(frozen=True)
class Settings:
    """What a run is; kept in its checkpoint. ``steps``, where it is not 0, replaces the budget of minutes."""

    minutes: float = 85.0
    steps: int = 0
    layouts: int = 14_400
    batch: int = 16
    rate: float = 3e-3
    muon_rate: float = 6e-3
    decay: float = 0.01
    seed: int = 1
    workers: int = 1
    held_out: int = 200
    widths: tuple[int, ...] = WIDTHS


class TwoLooks(nn.Module):
    """The network of the whole picture, and the one of close-ups."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        """Both have the same ``widths``."""
        super().__init__()
        self.overview = FinderNetwork(widths, landmarks=False)
        self.close_up = FinderNetwork(widths, channels=CLOSE_UP_CHANNELS)


class Training:
    """The state of a run: everything that a checkpoint holds."""

    def __init__(self, settings: Settings, device: torch.device) -> None:
        """Begin a run."""
        torch.manual_seed(settings.seed)
        self.settings, self.device = settings, device
        self.network = TwoLooks(settings.widths).to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = MuonAndAdamW(
            self.network, rate=settings.rate, muon_rate=settings.muon_rate, decay=settings.decay
        )
        self.step = 0
        self.seconds = 0.0  # of the budget, layouts included

    def save(self, path: Path) -> None:
        """Write a checkpoint; a stop in between leaves the last one."""
        state = {
            "settings": asdict(self.settings),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "torch_random": torch.get_rng_state(),
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path, device: torch.device) -> Training:
        """Go on from a checkpoint."""
        state = read_checkpoint(path)
        run = cls(settings_of(state), device)
        run.network.load_state_dict(state["network"])
        run.average.load_state_dict(state["average"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.step, run.seconds = state["step"], state["seconds"]
        torch.set_rng_state(state["torch_random"])
        return run

    @property
    def progress(self) -> float:
        """Share of the budget that is spent, 0..1."""
        s = self.settings
        return min(1.0, self.step / s.steps if s.steps else self.seconds / (60.0 * s.minutes))

    def learn(self, batch: Batch) -> dict[str, float]:
        """One step; the terms of the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["top"] * rate_share(self.progress)
        self.optimizer.zero_grad()
        whole = _tensors({name: batch[name] for name in ("input", "parts", "sides")}, self.device)
        answer = _ask(self.network.overview, whole["input"])
        terms = losses(answer, whole)
        torch.stack(list(terms.values())).sum().backward()
        close = _tensors(close_ups(batch, *probabilities(answer)), self.device)
        near = losses(_ask(self.network.close_up, close["input"]), close)
        torch.stack(list(near.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.network.overview.parameters(), 5.0)
        nn.utils.clip_grad_norm_(self.network.close_up.parameters(), 5.0)
        self.optimizer.step()
        self.step += 1
        self._average_weights()
        terms |= {f"close {name}": term for name, term in near.items()}
        return {name: float(term.detach()) for name, term in terms.items()}

    @torch.no_grad()
    def _average_weights(self) -> None:
        keep = min(_EMA, (1.0 + self.step) / (10.0 + self.step))
        for mean, now in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(now, 1.0 - keep)
            else:
                mean.copy_(now)


def _ask(network: FinderNetwork, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    with torch.autocast(picture.device.type, torch.bfloat16):
        return network(picture.contiguous(memory_format=torch.channels_last))


def _tensors(batch: Batch, device: torch.device) -> dict[str, Tensor]:
    return {name: torch.from_numpy(item).to(device, non_blocking=True) for name, item in batch.items()}


@torch.no_grad()
def probabilities(answer: tuple[Tensor, Tensor, Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """Of parts (n, 17, y, x) at full resolution and of sides (n, 3, y/2, x/2)."""
    parts = full_resolution(answer[0].detach().float()).softmax(1)
    return parts.cpu().numpy(), answer[1].detach().float().softmax(1).cpu().numpy()


def close_ups(batch: Batch, parts: np.ndarray, sides: np.ndarray) -> Batch:
    """The close-ups of a batch, guided by what the first network says of its pictures."""
    inputs = []
    for squares, frames, own_parts, own_sides in zip(batch["close_input"], batch["frames"], parts, sides, strict=True):
        guides = guides_of(own_parts, own_sides)
        for square, (left, top, side) in zip(squares, frames, strict=True):
            inputs.append(np.concatenate((square, guides_in(guides, Frame(left, top, side)))))
    flat = {name: batch[f"close_{name}"] for name in ("parts", "sides", "landmarks")}
    joined = {name: item.reshape(-1, *item.shape[2:]) for name, item in flat.items()}
    return {"input": np.stack(inputs), **joined}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content, on the CPU; ends the program with one line where there is none."""
    if not path.exists():
        sys.exit(f"{path}: expected a checkpoint; found no file. Train without --resume first")
    return torch.load(path, map_location="cpu", weights_only=True)


def settings_of(state: dict[str, Any]) -> Settings:
    """The settings in a checkpoint."""
    return Settings(**{**state["settings"], "widths": tuple(state["settings"]["widths"])})


def rate_share(progress: float) -> float:
    """Learning rate as a share of the highest: a short rise, then half a cosine."""
    if progress < _WARM_UP:
        return max(progress / _WARM_UP, 0.01)
    fall = 0.5 * (1.0 + math.cos(math.pi * (progress - _WARM_UP) / (1.0 - _WARM_UP)))
    return _LAST_RATE + (1.0 - _LAST_RATE) * fall


@torch.no_grad()
def validate(network: TwoLooks, batches: list[Batch], device: torch.device) -> dict[str, float]:
    """Foot Dice of the overview (mean over scenes), foot and toe Dice of true limbs' close-ups (pooled for toes)."""
    network.eval()
    whole, near = _Tally(), _Tally()
    for batch in batches:
        answer = _ask(network.overview, torch.from_numpy(batch["input"]).to(device))
        parts, sides = probabilities(answer)
        whole.add(parts, batch["parts"])
        close = close_ups(batch, parts, sides)
        answer = _ask(network.close_up, torch.from_numpy(close["input"]).to(device))
        near.add(probabilities(answer)[0], close["parts"])
    return {"foot": whole.foot, "close foot": near.foot, "toes": near.toes}


class _Tally:
    """Dice of feet and toes over batches."""

    def __init__(self) -> None:
        self.feet: list[float] = []
        self.sums = np.zeros((len(TOES), 2))

    def add(self, probability: np.ndarray, truth: np.ndarray) -> None:
        codes = probability.argmax(1)
        found = probability[:, list(FOOT)].sum(1) > 0.5
        wanted = (truth >= FOOT[0]) & (truth <= FOOT[-1])
        for one, other in zip(found, wanted, strict=True):
            if other.sum() >= 25:
                self.feet.append(2.0 * float((one & other).sum()) / float(one.sum() + other.sum()))
        for place, toe in enumerate(TOES):
            self.sums[place] += (
                2.0 * ((codes == toe) & (truth == toe)).sum(),
                (codes == toe).sum() + (truth == toe).sum(),
            )

    @property
    def foot(self) -> float:
        return float(np.mean(self.feet)) if self.feet else math.nan

    @property
    def toes(self) -> float:
        return float((self.sums[:, 0] / np.maximum(self.sums[:, 1], 1.0)).mean())


def train(run: Training, folder: Path, *, threads: int, checkpoint_minutes: float, validate_minutes: float) -> None:
    """Until the budget is spent; checkpoints into ``folder``."""
    s = run.settings
    started = time.perf_counter() - run.seconds
    shards = generate_layouts(folder / "data", s.layouts, seed=s.seed, processes=os.cpu_count() or 1)
    scenes = held_out_scenes(folder / "data", s.held_out)
    random = np.random.default_rng(s.seed)
    held_out = [encoded(scene, random) for scene in scenes]
    validation = [stacked(held_out[at : at + 20]) for at in range(0, len(held_out), 20)]
    del scenes, held_out
    torch.set_num_threads(threads)
    run.network.train()
    begun, first = time.perf_counter(), run.step
    saved = validated = said = begun
    means: dict[str, float] = {}
    batches = batches_of_workers(shards, s.batch, seed=s.seed, first=run.step, workers=s.workers)
    for arrays in batches:
        if run.progress >= 1.0:
            break
        run.seconds = time.perf_counter() - started
        terms = run.learn(arrays)
        means = {name: 0.98 * means.get(name, term) + 0.02 * term for name, term in terms.items()}
        now = time.perf_counter()
        due = now - validated >= 60.0 * validate_minutes
        if now - said >= 30.0 or due:
            said = now
            speed = s.batch * (run.step - first) / (now - begun)
            line = f"step {run.step}  {run.seconds / 60.0:.1f} min ({100.0 * run.progress:.0f} %)  {speed:.1f} images/s"
            line += "  loss " + " ".join(f"{name} {mean:.3f}" for name, mean in means.items())
            if due:
                scores = validate(run.average, validation, run.device)
                line += "  held-out " + " ".join(f"{name} {score:.4f}" for name, score in scores.items())
                validated = time.perf_counter()
            print(line, flush=True)
        if now - saved >= 60.0 * checkpoint_minutes:
            run.save(folder / "checkpoint.pt")
            saved = time.perf_counter()
    batches.close()
    run.seconds = time.perf_counter() - started
    run.save(folder / "checkpoint.pt")
    scores = validate(run.average, validation, run.device)
    print(f"done: step {run.step}  held-out " + " ".join(f"{name} {score:.4f}" for name, score in scores.items()))


def keep_memory() -> None:
    """Let glibc keep the memory of large arrays for the next step: fresh pages cost more than to write them."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(library, "mallopt"):
        m_mmap_max, m_trim_threshold = -4, -1
        library.mallopt(m_mmap_max, 0)
        library.mallopt(m_trim_threshold, 2**31 - 1)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    default = Settings()
    parser.add_argument("--folder", type=Path, default=Path("training-output"), help="layouts and checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint, with its settings")
    parser.add_argument("--minutes", type=float, default=default.minutes, help="for everything, layouts included")
    parser.add_argument("--steps", type=int, default=default.steps, help="instead of minutes, where not 0")
    parser.add_argument("--layouts", type=int, default=default.layouts)
    parser.add_argument("--batch", type=int, default=default.batch, choices=(8, 16, 24, 32, 48, 96))
    parser.add_argument("--rate", type=float, default=default.rate, help="the highest learning rate of AdamW")
    parser.add_argument("--muon-rate", type=float, default=default.muon_rate, help="the highest learning rate of Muon")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--workers", type=int, default=default.workers, help="processes that paint")
    parser.add_argument("--threads", type=int, default=min(os.cpu_count() or 1, 8), help="of the network")
    parser.add_argument("--held-out", type=int, default=default.held_out, help="scenes to validate on")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--checkpoint-minutes", type=float, default=3.0)
    parser.add_argument("--validate-minutes", type=float, default=4.0)
    given = parser.parse_args()
    keep_memory()
    device = torch.device(given.device)
    checkpoint = given.folder / "checkpoint.pt"
    if given.resume:
        run = Training.load(checkpoint, device)
    elif checkpoint.exists():
        sys.exit(f"{checkpoint}: a run is there already. Go on with --resume, or name another --folder")
    else:
        chosen = {name: getattr(given, name) for name in asdict(default) if hasattr(given, name)}
        run = Training(Settings(**chosen), device)
    given.folder.mkdir(parents=True, exist_ok=True)
    parameters = sum(p.numel() for p in run.network.parameters())
    print(f"{parameters / 1e6:.2f} M parameters on {device}; {run.settings}", flush=True)
    train(
        run,
        given.folder,
        threads=given.threads,
        checkpoint_minutes=given.checkpoint_minutes,
        validate_minutes=given.validate_minutes,
    )


if __name__ == "__main__":
    main()
