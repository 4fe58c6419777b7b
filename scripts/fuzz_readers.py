"""Feed damaged files of every kind to the readers, and report what is no error of rewarm's own.

python scripts/fuzz_readers.py [--inputs N] [--seconds S] [--seed K] [--kind NAME] [--keep FOLDER]

Every input is a small sound file, written by the tests' own writers, with a few bytes set, cut, inserted, removed,
repeated or mixed with another kind's. It is opened in a process of its own batch. A finding is: any exception that is
not a RewarmError, a thermogram that breaks its contract, more than 1 s, a process that has grown by more than 500 MB, a
crash, a hang. Input K of a seed is the same on every run: `--first K --inputs 1` repeats a finding. Exits with status 1
where there was one.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import types
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

MAX_SECONDS = 1.0
MAX_GROWTH_MB = 500
HANG_S = 30.0
BATCH = 4000
ROOT = Path(__file__).parents[1]
NUMBERS = (0, 1, 2, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def main() -> None:
    """Run batches until the number of inputs, or the time, is used up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=0, help="stop after so long; 0: no limit")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", default="", help="only this kind of file")
    parser.add_argument("--keep", type=Path, default=None, help="folder for the inputs that were findings")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--worker", type=Path, default=None, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker is not None:
        work(
            chosen.worker,
            seed=chosen.seed,
            first=chosen.first,
            inputs=chosen.inputs,
            kind=chosen.kind,
            keep=chosen.keep,
        )
        return
    start = time.monotonic()
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    slowest: dict[str, float] = defaultdict(float)
    findings: dict[str, list[dict[str, object]]] = defaultdict(list)
    done, last = chosen.first, chosen.first + chosen.inputs
    while done < last and not (chosen.seconds and time.monotonic() - start > chosen.seconds):
        done = batch(chosen, done, min(BATCH, last - done), tally, slowest, findings)
        print(
            f"{done - chosen.first} inputs, {len(findings)} kinds of finding, {time.monotonic() - start:.0f} s",
            flush=True,
        )
    report(tally, slowest, findings, inputs=done - chosen.first, seconds=time.monotonic() - start)
    raise SystemExit(1 if findings else 0)


def batch(
    chosen: argparse.Namespace,
    first: int,
    inputs: int,
    tally: dict[str, Counter[str]],
    slowest: dict[str, float],
    findings: dict[str, list[dict[str, object]]],
) -> int:
    """One process for ``inputs`` inputs from number ``first``; returns the number after the last one that it did."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__)), "--worker", folder, "--seed", str(chosen.seed)]
        command += ["--first", str(first), "--inputs", str(inputs), "--kind", chosen.kind]
        command += ["--keep", str(chosen.keep)] if chosen.keep else []
        errors = Path(folder) / "errors"  # a pipe that nobody reads fills up and stops the worker
        with errors.open("wb") as stream:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stream)
        progress, seen, since = Path(folder) / "progress", "", time.monotonic()
        ended = "crash"
        while True:
            try:
                process.wait(timeout=2)
                break
            except subprocess.TimeoutExpired:
                now = progress.read_text(encoding="utf-8") if progress.exists() else ""
                if now != seen:
                    seen, since = now, time.monotonic()
                elif time.monotonic() - since > HANG_S:
                    ended = "hang"
                    process.kill()
                    process.wait()
                    break
        results = Path(folder) / "results"  # absent where the worker was killed before it wrote any
        for line in results.read_text(encoding="utf-8").splitlines() if results.exists() else ():
            result = json.loads(line)
            if result["what"] != "finding":
                tally[result["kind"]][result["what"]] += result["n"]
                slowest[result["kind"]] = max(slowest[result["kind"]], result["seconds"])
            else:
                tally[result["kind"]]["finding"] += 1
                findings[result["signature"]].append(result)
        at = int((progress.read_text(encoding="utf-8").split() or [first])[0]) if progress.exists() else first
        error = errors.read_text(encoding="utf-8", errors="replace")[-2000:]
        if process.returncode == 0:
            return at
        if "WORKER RAN UP" in error:  # memory was found wanting: the rest goes on in a fresh process
            return at + 1
        findings[f"{ended}, exit status {process.returncode}"].append({"number": at, "kind": "?", "text": error[-500:]})
        return at + 1


def work(folder: Path, *, seed: int, first: int, inputs: int, kind: str, keep: Path | None) -> None:
    """Open inputs ``first`` to ``first + inputs``, and write down what happened."""
    from rewarm.cameras import open_thermogram
    from rewarm.errors import RewarmError
    from rewarm.thermogram import check_thermogram

    originals = sound_files()
    names = [name for name in originals if not kind or name == kind]
    if not names:
        raise SystemExit(f"no kind {kind!r}: there are {', '.join(originals)}")
    for name in names:  # sound files first: what they need of memory is no finding
        path = folder / name
        path.write_bytes(originals[name])
        open_thermogram(path)
        path.unlink()
    base_mb = peak_mb()
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    slowest: dict[str, float] = defaultdict(float)
    progress, results = folder / "progress", (folder / "results").open("w", encoding="utf-8")
    with results:
        for number in range(first, first + inputs):
            progress.write_text(f"{number} ", encoding="utf-8")
            chance = random.Random(f"{seed}-{number}")
            name = names[number % len(names)]
            data = mutated(originals[name], originals, chance)
            path = folder / name
            path.write_bytes(data)
            signature, text, start = "", "", time.perf_counter()
            try:
                thermogram = open_thermogram(path)
                check_thermogram(thermogram)
                if "time" in thermogram.dims:  # a recording decodes its frames only now
                    thermogram["temperature"].isel(time=[0, -1]).load()
                what = "opened"
            except RewarmError as error:
                what = "refused"
                if not str(error).startswith(str(path)):
                    signature, text = "an error without the file's name", str(error)[:300]
            except Exception as error:  # a finding, whatever it is
                frames = [f for f in traceback.extract_tb(error.__traceback__) if "rewarm" in f.filename]
                where = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else "?"
                signature, text = f"{type(error).__name__} in {where}", traceback.format_exc()[-1500:]
                what = "finding"
            seconds = time.perf_counter() - start
            path.unlink(missing_ok=True)
            if seconds > MAX_SECONDS and not signature:
                signature, text = f"over {MAX_SECONDS:g} s ({name})", f"{seconds:.2f} s"
            grown = peak_mb() - base_mb
            if grown > MAX_GROWTH_MB and not signature:
                signature, text = f"over {MAX_GROWTH_MB} MB ({name})", f"{grown:.0f} MB"
            if signature:
                finding = {"what": "finding", "kind": name, "signature": signature, "number": number, "text": text}
                results.write(json.dumps(finding) + "\n")
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{seed}-{number}-{name}").write_bytes(data)
            else:
                tally[name][what] += 1
                slowest[name] = max(slowest[name], seconds)
            if grown > MAX_GROWTH_MB:
                break
        for name, counts in tally.items():
            for what, n in counts.items():
                line = {"what": what, "kind": name, "n": n, "seconds": slowest[name]}
                results.write(json.dumps(line) + "\n")
    if peak_mb() - base_mb > MAX_GROWTH_MB:
        raise SystemExit("WORKER RAN UP")
    progress.write_text(f"{first + inputs} ", encoding="utf-8")


def mutated(data: bytes, others: dict[str, bytes], chance: random.Random) -> bytes:
    """``data`` with one to six changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4, 6))):
        size = len(data)
        # Headers are hit more often than pixels, and they often lie within the first kilobytes.
        at = int(chance.random() ** 2 * size) if chance.random() < 0.6 else chance.randrange(min(size, 4096) + 1)
        change = chance.randrange(9)
        if change == 0:
            data = data[:at]
        elif change == 1:
            data = data[:at] + chance.randbytes(chance.randint(1, 40)) + data[at:]
        elif change == 2:
            data = data[:at] + data[at + chance.randint(1, 64) :]
        elif change == 3:
            length = chance.randint(1, 512)
            data = data[:at] + data[at : at + length] * chance.randint(2, 4) + data[at + length :]
        elif change == 4:
            other = others[chance.choice(sorted(others))]
            start = chance.randrange(len(other))
            part = other[start : start + chance.randint(1, 2048)]
            data = data[:at] + part + data[at + len(part) :]
        elif change in (5, 6):
            number = chance.choice(NUMBERS) if chance.random() < 0.8 else chance.randrange(2**32)
            form = chance.choice((">I", "<I", ">H", "<H", "B"))
            patch = struct.pack(form, number & (2 ** (8 * struct.calcsize(form)) - 1))
            at = at // 2 * 2
            data = data[:at] + patch + data[at + len(patch) :]
        else:
            patch = chance.randbytes(chance.randint(1, 8))
            data = data[:at] + patch + data[at + len(patch) :]
        data = data or b"\0"
    return data


def sound_files() -> dict[str, bytes]:
    """A small sound file of each kind: {name: bytes}, by the tests' writers."""
    import tifffile

    tests = module_of(ROOT / "tests" / "cameras" / "conftest.py")
    y, x = np.mgrid[0:24, 0:32]
    counts = (16000 + 40 * y + 55 * x).astype(np.uint16)
    celsius = np.round(21 + 0.3 * y + 0.2 * x, 2).astype(np.float32)
    words = (1700 + 40 * y + 35 * x).astype(np.uint16)
    palette_k = (280 + 2 * np.arange(256)).astype(np.float32)

    def tiff(values: np.ndarray, **options: object) -> bytes:
        stream = io.BytesIO()
        tifffile.imwrite(stream, values, **options)
        return stream.getvalue()

    def flir(**changes: object) -> object:
        return tests.FlirFile(**({"counts": counts} | changes))

    def irb(frames: int = 1, **changes: object) -> bytes:
        return tests.irb_bytes(tests.IrbFile(frames=np.stack([words] * frames), palette_k=palette_k, **changes))

    stream = io.BytesIO()
    np.save(stream, celsius)
    rows = [",".join(f"{value:.1f}" for value in row) for row in celsius[:, :12]]
    files = {f"{raw.split()[0]}.jpg": tests.jpeg_bytes(flir(raw=raw)) for raw in ("plain", "png", "tiff <", "jpegls")}
    files |= {
        "little.fff": tests.fff_bytes(flir()),
        "big.fff": tests.fff_bytes(flir(order=">", directory_order="<")),
        "raw.seq": tests.fff_bytes(flir()) + tests.fff_bytes(flir(milliseconds=290)),
        "jpegls.csq": tests.fff_bytes(flir(raw="jpegls")) + tests.fff_bytes(flir(raw="jpegls", milliseconds=290)),
        "plain.irb": irb(),
        "runs.irb": irb(packing=1),
        "chained.irb": irb(frames=3, chained=True, milliseconds=(0, 20, 40)),
        "a.npy": stream.getvalue(),
        "float.tif": tiff(celsius),
        "zip.tif": tiff(celsius, compression="zlib", predictor=True),
        "lzw.tif": tiff(celsius, compression="lzw", tile=(16, 16)),
        "counts.tif": tiff(np.round((celsius + 273.15) * 100).astype(np.uint16)),
        "a.csv": "\n".join(rows).encode(),
        "a.txt": ("Unit: °C\n;" + "\n;".join(rows).replace(",", ";").replace(".", ",")).encode("utf-16"),
    }
    files["a.fpf"] = tests.fpf_bytes(celsius)
    if installed("pydicom"):
        files["top.dcm"] = tests.dicom_bytes(celsius)
        files["shared.dcm"] = tests.dicom_bytes(np.stack([celsius, celsius]), place="shared", FrameTime=40)
    if installed("infiray_irg"):
        files["a.irg"] = tests.irg_bytes(celsius)
    return files


def module_of(path: Path) -> types.ModuleType:
    """The module in a file that belongs to no package."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("writers", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path}: expected the tests' writers; found none")
    module = module_from_spec(spec)
    sys.modules["writers"] = module
    spec.loader.exec_module(module)
    return module


def installed(name: str) -> bool:
    """Whether a package can be imported."""
    from importlib.util import find_spec

    return find_spec(name) is not None


def _no_peak() -> float:
    return 0.0


def _peak() -> Callable[[], float]:
    try:
        import resource  # not on Windows, where memory goes unwatched
    except ImportError:
        return _no_peak
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


peak_mb = _peak()


def report(
    tally: dict[str, Counter[str]],
    slowest: dict[str, float],
    findings: dict[str, list[dict[str, object]]],
    *,
    inputs: int,
    seconds: float,
) -> None:
    """A table of kinds, and every kind of finding with one example."""
    print("\n| kind | opened | refused | findings | slowest, ms |\n|---|---|---|---|---|")
    for kind, counts in sorted(tally.items()):
        print(
            f"| {kind} | {counts['opened']} | {counts['refused']} | {counts['finding']} | {1e3 * slowest[kind]:.0f} |"
        )
    print(
        f"\n{inputs} inputs in {seconds:.0f} s; {sum(map(len, findings.values()))} findings of {len(findings)} kinds."
    )
    for signature, examples in findings.items():
        first = examples[0]
        print(
            f"\n## {signature}: {len(examples)} times, e.g. input {first['number']} ({first['kind']})\n{first['text']}"
        )


if __name__ == "__main__":
    main()
