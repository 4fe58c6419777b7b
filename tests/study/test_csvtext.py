from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rewarm.study import check_study
from rewarm.study.csvtext import read_text_table

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)


@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8),
    separator=st.sampled_from([",", ";"]),
    bom=st.booleans(),
)
def test_what_a_csv_writer_wrote_is_read_back_trimmed(rows: list[list[str]], separator: str, bom: bool) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c"])
    writer.writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(stream.getvalue().encode("utf-8-sig" if bom else "utf-8"))
        table, problems = read_text_table(path)
    assert problems == []
    assert table is not None
    expected = {i: [cell.strip() for cell in row] for i, row in enumerate(rows, start=2) if any(c.strip() for c in row)}
    assert dict(zip(table.cells.index, table.cells.to_numpy().tolist(), strict=True)) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    file=st.sampled_from(["study.toml", "participants.csv", "visits.csv", "scans.csv"]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(min_size=1, max_size=6)), max_size=4),
)
def test_a_damaged_file_is_reported_and_never_raises(
    study: Path, file: str, edits: list[tuple[float, int, bytes]]
) -> None:
    sound = (study / file).read_bytes()
    damaged = bytearray(sound)
    for place, cut, data in edits:
        at = int(place * len(damaged))
        damaged[at : at + cut] = data
    try:
        (study / file).write_bytes(bytes(damaged))
        check = check_study(study)
    finally:
        (study / file).write_bytes(sound)
    for problem in check.problems:
        assert problem.expected
        assert problem.found
        assert "\n" not in problem.expected
