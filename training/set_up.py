"""Make .venv-train: the package's pinned environment and, on top, what training needs. Run by ``make train``.

PyTorch: the build for the CPU where the machine has no NVIDIA GPU, as the default one brings gigabytes of CUDA. A
wheel in a folder that pip is told to look into (``PIP_FIND_LINKS``) is taken first, else uv's ``--torch-backend cpu``
finds it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv-train"
REQUIREMENTS = ROOT / "training" / "requirements.txt"


def run(*arguments: str, optional: bool = False) -> bool:
    """A command in the repository's root; ends the program where it fails, unless it is ``optional``."""
    result = subprocess.run(
        arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if result.returncode and not optional:
        sys.exit(f"training: {' '.join(arguments)} failed:\n{result.stdout.strip()[-2000:]}")
    return result.returncode == 0


def main() -> None:
    """Build the environment from nothing."""
    torch = next(line for line in REQUIREMENTS.read_text().splitlines() if line.startswith("torch=="))
    print("training: making .venv-train (once, some minutes)", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    venv.create(FOLDER, with_pip=True)
    python = str(FOLDER / "bin" / "python")
    pip = (python, "-m", "pip", "install", "--quiet", "--no-input")
    run(*pip, "--require-hashes", "--requirement", "constraints.txt")
    run(*pip, "--no-deps", "--no-build-isolation", "--no-index", "--editable", ".")
    uv = (str(FOLDER / "bin" / "uv"), "pip", "install", "--python", python)
    if not (
        shutil.which("nvidia-smi")
        or run(*pip, "--no-index", "--no-deps", torch, optional=True)
        or run(*uv, "--torch-backend", "cpu", torch, optional=True)
    ):
        sys.exit(
            f"training: expected PyTorch's build for the CPU ({torch}); found no way to it. Connect to the network, or "
            "set PIP_FIND_LINKS to a folder that holds its wheel, then repeat"
        )
    run(*pip, "--requirement", str(REQUIREMENTS))
    (FOLDER / "ready").touch()


if __name__ == "__main__":
    main()
