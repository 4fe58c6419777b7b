"""The files: self-contained, inert, deterministic, whole or not there."""

from __future__ import annotations

import builtins
import re
import sys
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from rewarm.errors import InvalidInputError, OutputError
from rewarm.report import ReportFiles, write_report
from rewarm.study.results import StudyResult

VOID = {"meta", "input", "img", "br", "col", "image", "rect", "path", "circle"}


class Structure(HTMLParser):
    """Elements with their attributes, and the text inside the elements that matter."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.unbalanced: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def parse(html: str) -> Structure:
    structure = Structure()
    structure.feed(html)
    structure.close()
    return structure


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", "".join(parse(html).text))


@pytest.fixture(scope="module")
def files(study: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> ReportFiles:
    return write_report(study, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def html(files: ReportFiles) -> str:
    return files.html.read_text(encoding="utf-8")


def test_elements_are_balanced_and_headings_do_not_skip(html: str) -> None:
    structure = parse(html)
    assert structure.unbalanced == []
    assert structure.open == []
    levels = [int(tag[1]) for tag, _ in structure.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert structure.named("html")[0]["lang"] == "en"
    assert any(meta.get("name") == "viewport" for meta in structure.named("meta"))


def test_nothing_is_asked_for_outside_the_file(html: str) -> None:
    structure = parse(html)
    for tag, attributes in structure.elements:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base")
        for name in ("src", "srcset", "href", "xlink:href", "data", "poster", "style"):
            if name in attributes and tag != "a":
                assert attributes[name].startswith("data:image/png;base64,"), (tag, name)
    for link in structure.named("a"):
        assert link["href"].startswith(("#", "https://doi.org/"))
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_every_figure_has_an_alternative_text_with_figures(html: str, study: StudyResult) -> None:
    drawings = parse(html).named("svg")
    # pictures, maps, curves, budgets; a scale bar a palette and one for maps
    assert len(drawings) == 12 + 9 + 6 + 4 + 3 * 3
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert re.search(r"\d", drawing["aria-label"])
    first = study.scans[0].measurements
    toe = first[(first.metric == "mean") & (first.region == "toe1") & (first.side == "left")].value.item()
    assert f"left T1 {toe:.1f}" in drawings[2]["aria-label"]


def test_tables_have_captions_and_scopes(html: str) -> None:
    structure = parse(html)
    assert len(structure.named("caption")) == len(structure.named("table"))
    assert all("scope" in header for header in structure.named("th"))


def test_ids_are_unique_and_referred_to(html: str) -> None:
    structure = parse(html)
    ids = [attributes["id"] for _, attributes in structure.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in structure.elements:
        for name in ("for", "aria-labelledby"):
            assert attributes.get(name, ids[0]) in ids
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids


def test_both_palettes_can_be_chosen(html: str, study: StudyResult, tmp_path: Path) -> None:
    radios = [item for item in parse(html).named("input") if item["type"] == "radio"]
    assert [radio["id"] for radio in radios] == ["palette-blue_red", "palette-cividis"]
    assert ["checked" in radio for radio in radios] == [True, False]
    for key in ("blue_red", "cividis"):
        assert len([item for item in parse(html).named("image") if item.get("class") == f"layer-{key}"]) == 12
    other = write_report(study.comparisons[0], tmp_path / "other.html", palette="cividis").html
    radios = [item for item in parse(other.read_text(encoding="utf-8")).named("input") if "checked" in item]
    assert [radio["id"] for radio in radios] == ["palette-cividis"]


def test_unknown_palettes_are_refused(study: StudyResult, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"palette: expected one of blue_red, cividis; found 'jet'"):
        write_report(study, tmp_path / "report.html", palette="jet")
    assert list(tmp_path.iterdir()) == []


def test_text_of_others_is_inert(study: StudyResult, tmp_path: Path) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    comparison = study.comparisons[0]
    after = replace(comparison.after, participant=evil, visit=evil, warnings=(evil,))
    before = replace(comparison.before, participant=evil)
    tables = {name: table.replace({"P1": evil, "systemic_sclerosis": evil}) for name, table in study.tables.items()}
    hostile = replace(
        study,
        title=evil,
        scans=(before, after),
        comparisons=(replace(comparison, before=before, after=after, warnings=(evil,)),),
        tables=tables,
        warnings=(evil,),
        versions={evil: evil},
    )
    html = write_report(hostile, tmp_path / "evil.html").html.read_text(encoding="utf-8")
    structure = parse(html)
    assert structure.named("script") == []
    assert structure.named("img") == []
    assert not any("onerror" in attributes for _, attributes in structure.elements)
    assert evil in "".join(structure.text)


def test_the_same_result_gives_the_same_bytes(files: ReportFiles, study: StudyResult, tmp_path: Path) -> None:
    again = write_report(study, tmp_path / "report.html")
    assert again.html.read_bytes() == files.html.read_bytes()
    assert again.pdf is not None
    assert files.pdf is not None
    assert again.pdf.read_bytes() == files.pdf.read_bytes()


def test_the_pdf_has_pages_and_pictures(files: ReportFiles) -> None:
    assert files.pdf is not None
    assert files.notes == ()
    data = files.pdf.read_bytes()
    assert data.startswith(b"%PDF")
    streams = re.findall(rb"/FlateDecode.*?stream\r?\n(.*?)\r?\nendstream", data, flags=re.DOTALL)
    objects = data + b"".join(inflated(stream) for stream in streams)
    assert len(re.findall(rb"/Type\s*/Page\b", objects)) >= 5
    assert len(re.findall(rb"/Subtype\s*/Image", objects)) >= 12 + 9


def inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:  # a picture's own coding
        return b""


def test_without_the_libraries_html_comes_and_a_note_names_them(
    study: StudyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: object) -> object:
        if name.split(".")[0] == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.setattr(sys, "platform", "linux")
    files = write_report(study.comparisons[0], tmp_path / "report.html")
    assert files.html.stat().st_size > 10_000
    assert files.pdf is None
    (note,) = files.notes
    assert "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in note
    assert "\n" not in note
    monkeypatch.setattr(sys, "platform", "win32")
    assert "GTK" in write_report(study.comparisons[0], tmp_path / "report.html").notes[0]


def test_a_missing_folder_is_an_error_and_nothing_is_written(study: StudyResult, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"expected an existing folder; found none at .*nowhere"):
        write_report(study, tmp_path / "nowhere" / "report.html")
    with pytest.raises(InvalidInputError, match=r"ends in \.html; found 'report\.docx'"):
        write_report(study, tmp_path / "report.docx")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_an_error(study: StudyResult, tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match="found a folder"):
        write_report(study, tmp_path / "report.html")


def test_a_name_without_suffix_gets_one_and_nothing_else_stays(study: StudyResult, tmp_path: Path) -> None:
    files = write_report(study.comparisons[0], tmp_path / "report")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.pdf"]
    assert files.html == tmp_path / "report.html"


def test_a_failed_write_leaves_no_partial_file(
    study: StudyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match="Permission denied"):
        write_report(study.comparisons[0], tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_small_enough_to_mail(files: ReportFiles) -> None:
    assert files.html.stat().st_size < 3_000_000
