"""Write the trained networks as two ONNX files, check them against PyTorch, and put their figures into them.

Run: python -m training.export. Weights are stored as float16 and computed with as float32.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import json
import shlex
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from rewarm.anatomy.close_up import CLOSE_UP_SHAPE
from rewarm.anatomy.network import CLOSE_UP, OVERVIEW, WEIGHTS, load_network, predict
from rewarm.anatomy.network_input import OVERVIEW_SHAPE
from training.data import TEST_SEED, encoded, held_out_scenes, stacked
from training.evaluate import evaluate
from training.network import FinderNetwork, full_resolution
from training.train import TwoLooks, close_ups, probabilities, read_checkpoint, settings_of

FORMAT_VERSION: Final = 3
LARGEST_BYTES: Final = 8_000_000
LARGEST_DIFFERENCE: Final = 1e-3
LEAST_FOOT_DICE: Final = 0.5
"""On the test scenes; a network that was trained for minutes only must not take the place of a good one."""


class _Probabilities(nn.Module):
    """A network with what run time wants at its end: probabilities, parts at full resolution."""

    def __init__(self, network: FinderNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, temperature: Tensor) -> tuple[Tensor, ...]:
        parts, sides, landmarks = self.network(temperature)
        answer = full_resolution(parts).softmax(1), sides.softmax(1)
        return (*answer, landmarks.sigmoid()) if landmarks.shape[1] else answer


def folded(network: TwoLooks) -> TwoLooks:
    """A copy whose batch norms are part of its convolutions and whose weights are representable as float16."""
    network = copy.deepcopy(network).eval().cpu().to(memory_format=torch.contiguous_format)
    for block in network.modules():
        if isinstance(block, nn.Sequential) and len(block) == 3 and isinstance(block[1], nn.BatchNorm2d):
            block[0], block[1] = fuse_conv_bn_eval(block[0], block[1]), nn.Identity()
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(weight.half().float())
    return network


def write_onnx(network: FinderNetwork, path: Path, facts: Mapping[str, str]) -> None:
    """One file: ``temperature`` in; ``parts``, ``sides`` and for close-ups ``landmarks`` out, as probabilities."""
    close = path.name == CLOSE_UP
    shape = CLOSE_UP_SHAPE if close else OVERVIEW_SHAPE
    example = torch.zeros(1, network.stem[0][0].in_channels // 4, *shape)
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        plain = Path(scratch) / "plain.onnx"
        # The older exporter: it folds constants by itself and writes one file.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Probabilities(network).eval(),
            (example,),
            str(plain),
            input_names=["temperature"],
            output_names=["parts", "sides", *(["landmarks"] if close else [])],
            opset_version=17,
            dynamo=False,
        )
        model = onnx.load(plain)
    _halve_weights(model)
    helper.set_model_props(model, dict(facts))
    onnx.checker.check_model(model)
    partial = path.with_suffix(".partial")
    onnx.save(model, partial)
    partial.replace(path)


def write_both(network: TwoLooks, folder: Path, facts: Mapping[str, str]) -> None:
    """The two files of the package."""
    write_onnx(network.overview, folder / OVERVIEW, facts)
    write_onnx(network.close_up, folder / CLOSE_UP, facts)


def _halve_weights(model: onnx.ModelProto) -> None:
    """Store large float32 constants as float16, each with a cast back, which the run time folds when it loads."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < 64:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], name=f"{name}_cast", to=TensorProto.FLOAT))
    for place, cast in enumerate(casts):
        model.graph.node.insert(place, cast)


def largest_difference(network: FinderNetwork, path: Path, pictures: np.ndarray) -> float:
    """Between PyTorch's probabilities and ONNX Runtime's, over inputs (n, channels, y, x)."""
    session = load_network(path)
    worst = 0.0
    with torch.no_grad():
        for picture in pictures:
            expected = _Probabilities(network)(torch.from_numpy(picture[None]))
            found = session.run(None, {"temperature": picture[None]})
            for one, other in zip(expected, found, strict=True):
                worst = max(worst, float(np.abs(one.numpy() - other).max()))
    return worst


def _described() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    return result.stdout.strip() or "unknown"


def main() -> None:
    """Export, check, evaluate, and only then replace the package's weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("training-output"), help="with checkpoint.pt")
    parser.add_argument("--output", type=Path, default=WEIGHTS, help="folder of the two files")
    parser.add_argument("--scenes", type=int, default=300, help="of the test set")
    given = parser.parse_args()
    state = read_checkpoint(given.folder / "checkpoint.pt")
    settings = settings_of(state)
    trained = TwoLooks(settings.widths)
    trained.load_state_dict(state["average"])
    network = folded(trained)
    scenes = held_out_scenes(given.folder / "data", given.scenes, seed=TEST_SEED)
    random = np.random.default_rng(TEST_SEED)
    batch = stacked([encoded(scene, random) for scene in scenes[:20]])
    budget = f"--steps {settings.steps}" if settings.steps else f"--minutes {settings.minutes:g}"
    facts = {
        "format": str(FORMAT_VERSION),
        "made_on": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "source": _described(),
        "command": f"python -m training.train {budget} --layouts {settings.layouts} --seed {settings.seed}",
        "export_command": "python -m training.export " + shlex.join(sys.argv[1:]),
        "examples_seen": str(state["step"] * settings.batch),
        "training_minutes": f"{state['seconds'] / 60.0:.1f}",
        "parameters": str(sum(p.numel() for p in network.parameters())),
    }
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        trial = Path(scratch)
        write_both(network, trial, facts)
        difference = largest_difference(network.overview, trial / OVERVIEW, batch["input"])
        seen = probabilities(network.overview(torch.from_numpy(batch["input"])))
        squares = close_ups(batch, *seen, own_share=1.0, seed=(1,))["input"]
        difference = max(difference, largest_difference(network.close_up, trial / CLOSE_UP, squares))
        if not difference <= LARGEST_DIFFERENCE:
            sys.exit(f"expected PyTorch and ONNX Runtime to agree within {LARGEST_DIFFERENCE}; found {difference:.2g}")
        figures = evaluate(lambda celsius: predict(celsius, weights=trial), scenes)
    if not figures.get("dice_foot", 0.0) >= LEAST_FOOT_DICE:
        sys.exit(
            f"expected a mean Dice of feet of {LEAST_FOOT_DICE} or more on {given.scenes} test scenes; found "
            f"{figures.get('dice_foot', 0.0):.4f}. {given.output} was left as it is: train longer"
        )
    figures = {name: round(value, 4) for name, value in figures.items()}
    facts |= {"figures": json.dumps(figures), "test_scenes": str(given.scenes), "difference": f"{difference:.2g}"}
    write_both(network, given.output, facts)
    size = sum((given.output / name).stat().st_size for name in (OVERVIEW, CLOSE_UP))
    print(json.dumps(figures, indent=2))
    print(f"{given.output}: {size / 1e6:.2f} MB, within {difference:.1e} of PyTorch")
    if size > LARGEST_BYTES:
        sys.exit(f"expected at most {LARGEST_BYTES} bytes; found {size}. Make the network narrower (--widths)")


if __name__ == "__main__":
    main()
