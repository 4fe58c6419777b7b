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
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from rewarm.anatomy.close_up import CLOSE_UP_CHANNELS, Frame, frames_in, guides_in, guides_of
from training.data import Batch, batches_of_workers, close_up, encoded, generate_layouts, held_out_scenes, stacked
from training.network import FOOT, WIDTHS, FinderNetwork, full_resolution, losses
from training.optimizer import MuonAndAdamW

TOES: Final = tuple(FOOT[:5])
_EMA: Final = 0.999
_WARM_UP: Final = 0.04
_OWN_SHARE: Final = 0.7
_OWN_FROM: Final = 0.15
"""Share of the first close-ups that lie where the first network sees limbs, and the progress from which on."""
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


@dataclass(frozen=True)
class CloseUps:
    """What the second network learns from in a step: a batch, the learning rate's share and the step's number."""

    batch: Batch
    rate: float
    step: int


class Training:
    """The state of a run: everything that a checkpoint holds."""

    def __init__(self, settings: Settings, device: torch.device) -> None:
        """Begin a run."""
        torch.manual_seed(settings.seed)
        self.settings, self.device = settings, device
        self.network = TwoLooks(settings.widths).to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizers = {
            name: MuonAndAdamW(own, rate=settings.rate, muon_rate=settings.muon_rate, decay=settings.decay)
            for name, own in self.network.named_children()
        }
        self.step = 0
        self.seconds = 0.0  # of the budget, layouts included

    def save(self, path: Path) -> None:
        """Write a checkpoint; a stop in between leaves the last one."""
        state = {
            "settings": asdict(self.settings),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": {name: own.state_dict() for name, own in self.optimizers.items()},
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
        for name, own in run.optimizers.items():
            own.load_state_dict(state["optimizers"][name])
        run.step, run.seconds = state["step"], state["seconds"]
        torch.set_rng_state(state["torch_random"])
        return run

    @property
    def progress(self) -> float:
        """Share of the budget that is spent, 0..1."""
        s = self.settings
        return min(1.0, self.step / s.steps if s.steps else self.seconds / (60.0 * s.minutes))

    def learn(self, batch: Batch) -> dict[str, float]:
        """One step of both networks; the terms of the loss."""
        terms, close = self.learn_overview(batch)
        return terms | self.learn_close_up(close)

    def learn_overview(self, batch: Batch) -> tuple[dict[str, float], CloseUps]:
        """The first network's part of a step, and what the second one is to learn from it."""
        rate = rate_share(self.progress)
        whole = _tensors({name: batch[name] for name in ("input", "parts", "sides")}, self.device)
        answer = _ask(self.network.overview, whole["input"])
        terms = losses(answer, whole)
        self._move("overview", terms, rate, self.step + 1)
        self.step += 1
        said = {name: float(term.detach()) for name, term in terms.items()}
        own_share = _OWN_SHARE * min(1.0, self.progress / _OWN_FROM)
        close = close_ups(batch, *probabilities(answer), own_share=own_share, seed=(self.settings.seed, 2, self.step))
        return said, CloseUps(close, rate, self.step)

    def learn_close_up(self, given: CloseUps) -> dict[str, float]:
        """The second network's part of the step; it touches nothing of the first, so that both can run at a time."""
        close = _tensors(given.batch, self.device)
        terms = losses(_ask(self.network.close_up, close["input"]), close)
        self._move("close_up", terms, given.rate, given.step)
        return {f"close {name}": float(term.detach()) for name, term in terms.items()}

    def _move(self, name: str, terms: dict[str, Tensor], rate: float, step: int) -> None:
        network, average, optimizer = getattr(self.network, name), getattr(self.average, name), self.optimizers[name]
        for group in optimizer.param_groups:
            group["lr"] = group["top"] * rate
        optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        _average_weights(average, network, step)


@torch.no_grad()
def _average_weights(average: nn.Module, network: nn.Module, step: int) -> None:
    keep = min(_EMA, step / (9.0 + step))
    for mean, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
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


def close_ups(batch: Batch, parts: np.ndarray, sides: np.ndarray, *, own_share: float, seed: tuple[int, ...]) -> Batch:
    """Two close-ups of each picture of a batch, guided by what the first network says of it, one after the other.

    Of the first one's places, ``own_share`` are where that network sees limbs itself, as at run time; the others, and
    all of the second one's unless ``own_share`` is 1, are about where the truth has them, as in a second look.
    """
    random = np.random.default_rng(seed)
    made = []
    for number, (own_parts, own_sides) in enumerate(zip(parts, sides, strict=True)):
        item = {name: array[number] for name, array in batch.items()}
        guides = guides_of(own_parts, own_sides)
        frames = [Frame(*row[:4].tolist(), bool(row[4])) for row in item["frames"]]
        seen = frames_in(guides)
        order = random.permutation(len(seen))
        if seen and random.random() < own_share:
            frames[0] = seen[order[0]]
        if len(seen) > 1 and own_share == 1.0:
            frames[1] = seen[order[1]]
        for frame in frames:
            square = close_up(item, frame)
            made.append(square | {"input": np.concatenate((square["input"], guides_in(guides, frame)))})
    return stacked(made)


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
    """Foot Dice of the overview (mean over scenes) and of close-ups where it sees limbs; toe Dice of these, pooled."""
    network.eval()
    whole, near = _Tally(), _Tally()
    for batch in batches:
        answer = _ask(network.overview, torch.from_numpy(batch["input"]).to(device))
        parts, sides = probabilities(answer)
        whole.add(parts, batch["parts"])
        close = close_ups(batch, parts, sides, own_share=1.0, seed=(1,))
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
    """Until the budget is spent; checkpoints into ``folder``.

    From two ``threads`` on, the second network learns from one batch while the first one learns from the next.
    """
    s = run.settings
    started = time.perf_counter() - run.seconds
    shards = generate_layouts(folder / "data", s.layouts, seed=s.seed, processes=os.cpu_count() or 1)
    validation = _validation(folder / "data", s)
    abreast = threads >= 2 and run.device.type == "cpu"
    torch.set_num_threads(threads // 2 if abreast else threads)
    run.network.train()
    progress = _Progress(run)
    saved = validated = time.perf_counter()
    batches = batches_of_workers(shards, s.batch, seed=s.seed, first=run.step, workers=s.workers)
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(max(threads // 2, 1),)) as second:
        pending: Future[dict[str, float]] | None = None
        for arrays in batches:
            if run.progress >= 1.0:
                break
            run.seconds = time.perf_counter() - started
            terms, close = run.learn_overview(arrays)
            if pending is not None:
                progress.add(pending.result())
            pending = second.submit(run.learn_close_up, close)
            if not abreast:
                wait([pending])
            progress.add(terms)
            now = time.perf_counter()
            if now - validated >= 60.0 * validate_minutes:
                progress.add(pending.result())
                pending = None
                progress.tell(validate(run.average, validation, run.device))
                validated = time.perf_counter()
            elif now - progress.told >= 30.0:
                progress.tell()
            if now - saved >= 60.0 * checkpoint_minutes:
                if pending is not None:
                    wait([pending])
                run.save(folder / "checkpoint.pt")
                saved = now
        if pending is not None:
            pending.result()
    batches.close()
    run.seconds = time.perf_counter() - started
    run.save(folder / "checkpoint.pt")
    print(f"done: step {run.step} {_scores(validate(run.average, validation, run.device))}")


def _validation(folder: Path, settings: Settings) -> list[Batch]:
    random = np.random.default_rng(settings.seed)
    held_out = [encoded(scene, random) for scene in held_out_scenes(folder, settings.held_out)]
    return [stacked(held_out[at : at + 20]) for at in range(0, len(held_out), 20)]


def _scores(scores: dict[str, float]) -> str:
    return " held-out " + " ".join(f"{name} {score:.4f}" for name, score in scores.items())


class _Progress:
    """Running means of the loss, printed with the speed."""

    def __init__(self, run: Training) -> None:
        self.run, self.first, self.begun = run, run.step, time.perf_counter()
        self.told = self.begun
        self.means: dict[str, float] = {}

    def add(self, terms: dict[str, float]) -> None:
        self.means |= {name: 0.98 * self.means.get(name, term) + 0.02 * term for name, term in terms.items()}

    def tell(self, scores: dict[str, float] | None = None) -> None:
        run, self.told = self.run, time.perf_counter()
        speed = run.settings.batch * (run.step - self.first) / (self.told - self.begun)
        line = f"step {run.step}  {run.seconds / 60.0:.1f} min ({100.0 * run.progress:.0f} %)  {speed:.1f} images/s"
        line += "  loss " + " ".join(f"{name} {mean:.3f}" for name, mean in self.means.items())
        print(line + (f" {_scores(scores)}" if scores else ""), flush=True)


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
