"""A conversion that is killed goes on from its last complete block, and ends with the same bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import rewarm.cameras.resume as resume
from rewarm.cameras import convert, open_thermogram, unfinished
from rewarm.cameras.flir_sequence import FlirCounts

Write = Callable[[str, bytes | str], Path]
COUNT = 100


@pytest.fixture
def recording(write: Write, flir_fff: Callable[..., bytes], counts: NDArray[np.uint16]) -> Path:
    frames = [
        flir_fff(counts=counts + np.uint16(number), seconds=1_700_000_000 + number, emissivity=0.98, raw="png")
        for number in range(COUNT)
    ]
    return write("a.seq", b"".join(frames))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def start(recording: Path, output: Path, *, stop_after: int, how: str) -> subprocess.CompletedProcess[str]:
    """Convert in a process of its own, which ends itself by a signal once so many frames are complete."""
    script = f"""
        import os, signal
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        from rewarm import cli
        import rewarm.cameras as cameras
        real = cameras.convert
        def tell(done, total, what):
            if what == "frames" and done >= {stop_after}:
                os.kill(os.getpid(), signal.{how})
        cameras.convert = lambda *a, **k: real(*a, **{{**k, "on_progress": tell}})
        import sys
        sys.argv = ["rewarm", "convert", {str(recording)!r}, "-o", {str(output)!r}, "--emissivity", "0.9"]
        cli.main()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), timeout=120, check=False)


def frames_read(recording: Path, output: Path, **options: Any) -> int:
    """How many frames a conversion goes through."""
    steps: list[int] = []
    convert(recording, output, on_progress=lambda done, _total, _what: steps.append(done), **options)
    return steps[-1] - steps[0]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_conversion_goes_on_and_gives_the_same_bytes(recording: Path, tmp_path: Path, decoded: list[int]):
    output = tmp_path / "killed" / "a.zarr"
    output.parent.mkdir()
    ended = start(recording, output, stop_after=60, how="SIGKILL")
    assert ended.returncode == -signal.SIGKILL
    assert [path.name for path in output.parent.iterdir()] == [".a.zarr.part"]
    assert "of 100 frames are kept" in unfinished(output)
    decoded.clear()
    convert(recording, output, emissivity=0.9)
    again = len(decoded)
    assert [path.name for path in output.parent.iterdir()] == ["a.zarr"]
    assert unfinished(output) == ""
    decoded.clear()
    undisturbed = convert(recording, tmp_path / "a.zarr", emissivity=0.9)
    assert (again, len(decoded)) == (40, 100)
    assert contents(output) == contents(undisturbed)
    np.testing.assert_array_equal(
        open_thermogram(output)["temperature"].values, open_thermogram(recording, emissivity=0.9)["temperature"].values
    )


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The frames that were read from the recording, in order."""
    seen: list[int] = []
    real = FlirCounts.pieces

    def spy(self: FlirCounts, frames: Any, rows: Any, columns: Any) -> Any:
        seen.extend(frames.tolist())
        return real(self, frames, rows, columns)

    monkeypatch.setattr(FlirCounts, "pieces", spy)
    return seen


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(("how", "number"), [("SIGTERM", 15), ("SIGINT", 2)])
def test_a_signal_leaves_what_can_go_on_and_says_so(recording: Path, tmp_path: Path, how: str, number: int):
    output = tmp_path / "a.zarr"
    ended = start(recording, output, stop_after=60, how=how)
    assert ended.returncode == 128 + number
    (line,) = ended.stderr.strip().splitlines()
    assert line.startswith("rewarm: interrupted. 60 of 100 frames are kept in ")
    assert "the same command goes on from there. Delete that folder if it is not wanted" in line
    assert not output.exists()
    assert frames_read(recording, output, emissivity=0.9) == 40


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("name", ["a.npy", "a.zarr"])
def test_a_signal_before_anything_is_complete_leaves_nothing(recording: Path, tmp_path: Path, name: str):
    place = tmp_path / "out"
    place.mkdir()
    ended = start(recording, place / name, stop_after=0, how="SIGTERM")
    assert ended.returncode == 143
    assert ended.stderr.strip() == "rewarm: interrupted. Nothing was written"
    assert list(place.iterdir()) == []


def interrupted(recording: Path, output: Path, **options: Any) -> None:
    def stop(done: int, _total: int, _what: str) -> None:
        if done >= 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(recording, output, on_progress=stop, **options)


@pytest.mark.parametrize("what", ["options", "source", "version", "note cut", "note odd", "array lost"])
def test_anything_else_starts_anew(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str):
    output = tmp_path / "a.zarr"
    interrupted(recording, output, emissivity=0.9)
    part = tmp_path / ".a.zarr.part"
    options = {"emissivity": 0.9}
    if what == "options":
        options = {"emissivity": 0.8}
    elif what == "source":
        recording.write_bytes(recording.read_bytes() + b"\0")
    elif what == "version":
        monkeypatch.setattr(resume, "__version__", "99")
    elif what == "note cut":
        note = part / "resume.json"
        note.write_text(note.read_text(encoding="utf-8")[:-5], encoding="utf-8")
    elif what == "note odd":
        note = part / "resume.json"
        note.write_text(
            json.dumps(json.loads(note.read_text(encoding="utf-8")) | {"frames_done": -3}), encoding="utf-8"
        )
    else:
        (part / "store" / "counts" / "zarr.json").unlink()
    assert frames_read(recording, output, **options) == COUNT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.seq", "a.zarr"]
    expected = open_thermogram(recording, **options)["temperature"].values
    np.testing.assert_array_equal(open_thermogram(output)["temperature"].values, expected)


def test_two_at_a_time_do_not_get_in_each_others_way(recording: Path, tmp_path: Path):
    output = tmp_path / "a.zarr"
    with resume.held_part(output) as part:
        assert part is not None
        with resume.held_part(output) as second:
            assert second is None
        assert frames_read(recording, output) == COUNT
        assert open_thermogram(output).sizes["time"] == COUNT


def test_an_earlier_output_stays_until_the_new_one_is_complete(recording: Path, tmp_path: Path):
    output = convert(recording, tmp_path / "a.zarr", emissivity=0.98)
    before = contents(output)
    interrupted(recording, output, emissivity=0.5)
    assert contents(output) == before
    assert frames_read(recording, output, emissivity=0.5) == 40
    assert open_thermogram(output).attrs["emissivity"] == pytest.approx(0.5)
