"""How far the figures can be trusted, as a picture: what a toe's uncertainty is made of, and what a black body buys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from math import hypot, isnan, sqrt
from typing import Final

from markupsafe import Markup

from rewarm.measures import (
    DetectableChange,
    Part,
    Place,
    change_parts,
    combined_parts,
    region_parts,
    smallest_detectable_changes,
)
from rewarm.regions import SIDES, Region
from rewarm.report.context import TextTable
from rewarm.report.pictures import FONT
from rewarm.report.rewarming_figures import METRICS as REWARMING_METRICS
from rewarm.report.words import DIGITS, NBSP, PROXIMAL_WORDS, in_picture, number, region_words, visit_words
from rewarm.study.results import Comparison, ScanResult, StudyResult
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR

WIDTH: Final = 470.0
NAMES: Final = 150.0
BARS: Final = 148.0
ROW: Final = 23.0
TOP: Final = 34.0

KINDS: Final = {
    "camera": ("camera and session", "#0072b2"),
    "session": ("camera and session", "#0072b2"),
    "image": ("the whole picture", "#c04e00"),
    "region": ("the region alone", "#00795a"),
    "pixel": ("each pixel", "#a6397f"),
}
"""Who shares an error: words and colour."""

SMALLEST_SHARE: Final = 0.01
"""Parts with less of the variance are drawn as one."""

BLACK_BODY_U_C: Final = 0.3 / sqrt(3.0)
"""What a black body for medical thermography is good for at least, doi 10.1016/j.jtherbio.2017.07.006."""

TOTAL: Final = "#16191d"
METRICS: Final = {
    "mean": "temperature of a region",
    "distal_proximal_difference": "toe − arch, finger − palm",
    "distal_dorsal_difference": "toe or finger − back of foot or hand",
    "left_right_difference": "left − right",
    "tci": "thermal change index",
    "log_auc": "after cold water: logarithm of the area over 15 min",
    "log_max": "after cold water: logarithm of the highest",
}
REWARMING: Final = {metric.name: metric for metric in REWARMING_METRICS}


@dataclass(frozen=True)
class Budget:
    """One quantity's parts, independent of each other and one a name; ``other_c`` is its u were it otherwise."""

    title: str
    parts: tuple[Part, ...]
    other_words: str = ""
    other_c: float | None = None

    @property
    def u_c(self) -> float:
        """The standard uncertainty, °C."""
        return sqrt(sum(part.u_c**2 for part in self.parts))


@dataclass(frozen=True)
class BudgetSection:
    """What the template shows; ``panels`` are drawings, ``tables`` the parts and the smallest detectable changes."""

    introduction: str
    panels: tuple[Markup, ...]
    tables: tuple[TextTable, ...]


def budget_section(result: StudyResult) -> BudgetSection | None:
    """The budgets of one example, the first toe found in the first comparison; None where there is none."""
    for comparison in result.comparisons:
        side, digit, proximal = _example(comparison)
        if digit:
            return _section(result, comparison, side, digit, proximal)
    return None


def _example(comparison: Comparison) -> tuple[str, str, str]:
    """Side, digit, and the region it is compared with ("" where that was not found) in both pictures."""
    both = (comparison.before.regions, comparison.after.regions)

    def there(side: str, region: str) -> bool:
        found = [regions.get(side, region) for regions in both]
        return all(item is not None and item.found for item in found)

    base = in_picture(comparison.before).proximal
    seen = [(side, digit) for side in SIDES for digit in DIGITS if there(side, digit)]
    with_base = [(side, digit) for side, digit in seen if there(side, base)]
    if with_base:
        return (*with_base[0], base)
    return (*seen[0], "") if seen else ("", "", "")


def _section(result: StudyResult, comparison: Comparison, side: str, digit: str, proximal: str) -> BudgetSection:
    budgets = _budgets(comparison, side, digit, proximal)
    widest_c = max(max(budget.u_c, budget.other_c or 0.0) for budget in budgets)
    who = f"{comparison.before.participant}, " if comparison.before.participant else ""
    what = f"{side} {region_words(digit)}"
    introduction = (
        f"The example is {who}{what}, {_visit(comparison.before)} and {_visit(comparison.after)}; other regions and "
        "scans differ in size, seldom in kind. Bars are standard uncertainties (u), all panels on one scale; "
        "percentages are shares of the variance. What the whole picture shares cancels in a difference inside it, and "
        "nothing is taken to cancel between visits."
    )
    panels = tuple(budget_svg(budget, widest_c=widest_c) for budget in budgets)
    return BudgetSection(introduction, panels, (_parts_table(budgets[0]), detectable_table(result)))


def _visit(scan: ScanResult) -> str:
    return visit_words(scan.visit) or scan.scan


def _budgets(comparison: Comparison, side: str, digit: str, proximal: str) -> list[Budget]:
    scans = (comparison.before, comparison.after)
    name = f"{side} {region_words(digit)}".split(" (")[0]
    levels = [combined_parts([(1.0, _parts(scan, side, digit))]) for scan in scans]
    has = [scan.thermogram.attrs.get("reference_u_c") is not None for scan in scans]
    others = [combined_parts([(1.0, _parts(scan, side, digit, swapped=True))]) for scan in scans]
    words = "without the reference" if has[0] else "with a black body"
    both = "without the references" if all(has) else "with black bodies"
    budgets = [Budget(f"{_capital(name)} in one picture", merged(levels[0]), words, _u_c(others[0]))]
    if proximal:
        inside = [
            combined_parts([(1.0, _parts(scan, side, digit)), (-1.0, _parts(scan, side, proximal))]) for scan in scans
        ]
        base = PROXIMAL_WORDS.get(proximal, proximal)
        budgets.append(Budget(f"{_capital(name)} − {base} in one picture", merged(inside[0])))
    if not any(has) or all(has):
        other = hypot(*(_u_c(parts) for parts in others))
        budgets.append(Budget(f"Change of {name} between visits", merged(change_parts(*levels)), both, other))
    else:
        budgets.append(Budget(f"Change of {name} between visits", merged(change_parts(*levels))))
    if proximal:
        budgets.append(Budget(f"Change of {name} − {base} between visits", merged(change_parts(*inside))))
    return budgets


def _parts(scan: ScanResult, side: str, name: str, *, swapped: bool = False) -> tuple[Part, ...]:
    """A region's budget; ``swapped``: with a black body where there was none, without a reference where there was."""
    region = scan.regions.get(side, name)
    if region is None:  # the example was chosen among what is there
        return ()
    thermogram = scan.thermogram
    if swapped:
        attrs = {key: value for key, value in thermogram.attrs.items() if not str(key).startswith("reference_")}
        if "reference_u_c" not in thermogram.attrs:
            beside = _beside(region)
            attrs |= {"reference_own_u_c": BLACK_BODY_U_C, "reference_u_c": BLACK_BODY_U_C}
            attrs["reference_place"] = [beside.x, beside.y, beside.xx, beside.xy, beside.yy]
        thermogram = thermogram.copy()
        thermogram.attrs = attrs
    return region_parts(thermogram, region.mask, confidence=region.confidence, assumptions=scan.assumptions)


def _beside(region: Region) -> Place:
    """A black body of a twelfth of the picture's width, at the nearer side edge, as high as the region."""
    height, width = region.mask.shape
    rows, columns = region.mask.nonzero()
    size = max(width / 12.0, 5.0)
    x = size if columns.mean() < width / 2 else width - size
    return Place(float(x), float(min(max(rows.mean(), size), height - size)), size**2 / 12, 0.0, size**2 / 12, 1.0)


def _u_c(parts: Sequence[Part]) -> float:
    return sqrt(sum(part.u_c**2 for part in parts))


def merged(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Independent parts of one name as one, the largest first."""
    by_name: dict[str, Part] = {}
    for part in parts:
        known = by_name.get(part.name)
        by_name[part.name] = part if known is None else replace(known, u_c=hypot(known.u_c, part.u_c))
    return tuple(sorted(by_name.values(), key=lambda part: -part.u_c))


def budget_svg(budget: Budget, *, widest_c: float) -> Markup:
    """Horizontal bars, one a part, the sum below; ``widest_c`` is what the longest bar of all panels stands for."""
    variance = budget.u_c**2
    large = [part for part in budget.parts if variance > 0 and part.u_c**2 >= SMALLEST_SHARE * variance]
    rest = [part for part in budget.parts if part not in large and part.u_c > 0]
    lines = [(part.name, part.u_c, KINDS[part.scope][1]) for part in large]
    if len(rest) == 1:
        lines.append((rest[0].name, rest[0].u_c, KINDS[rest[0].scope][1]))
    elif rest:
        lines.append((f"{len(rest)} smaller parts", _u_c(rest), "#6b7280"))
    scale = BARS / widest_c if widest_c > 0 else 0.0
    body, y = "", TOP
    for name, u_c, colour in lines:
        share = 100.0 * u_c**2 / variance if variance > 0 else 0.0
        body += _bar(name, u_c, y, scale, f'fill="{colour}"', f"{number(u_c, 2)} °C · {_percent(share)}")
        y += ROW
    y += 6.0
    body += f'<path d="M0 {y - 5:.1f}H{WIDTH}" stroke="#9aa1a9"/>'
    body += _bar("together", budget.u_c, y, scale, f'fill="{TOTAL}"', _with_limits(budget.u_c), bold=True)
    y += ROW
    if budget.other_c is not None:
        style = f'fill="#fff" stroke="{TOTAL}" stroke-width="1.4" stroke-dasharray="4 2"'
        body += _bar(budget.other_words, budget.other_c, y, scale, style, _with_limits(budget.other_c), bold=True)
        y += ROW
    legend, y = _legend([part.scope for part in large], y + 4.0)
    head = (
        f'<svg class="budget" role="img" aria-label="{escape(alt_text(budget), quote=True)}" '
        f'viewBox="0 0 {WIDTH:.0f} {y:.0f}" font-family="{FONT}" font-size="13" fill="none">'
        f'<text x="0" y="17" font-weight="bold" font-size="14" fill="#111">{escape(budget.title)}</text>'
    )
    return Markup(head + body + legend + "</svg>")


def _with_limits(u_c: float) -> str:
    return f"{number(u_c, 2)} °C, 95 %: ±{number(SMALLEST_DETECTABLE_FACTOR * u_c, 1)} °C"


def _bar(name: str, u_c: float, y: float, scale: float, style: str, figures: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{NAMES - 8:.0f}" y="{y + 14:.1f}" text-anchor="end" fill="#111"{weight}>{escape(name)}</text>'
        f'<rect x="{NAMES:.0f}" y="{y + 2.5:.1f}" width="{max(u_c * scale, 1.0):.1f}" height="15" {style}/>'
        f'<text x="{NAMES + u_c * scale + 7:.1f}" y="{y + 14:.1f}" fill="#111"{weight}>{figures}</text>'
    )


def _legend(scopes: Sequence[str], y: float) -> tuple[str, float]:
    """Who shares what, by colour and word, on one line."""
    kinds = dict.fromkeys(kind for scope, kind in KINDS.items() if scope in scopes)
    text, x = f'<text x="0" y="{y + 13:.1f}" fill="#444" font-size="12">shared by</text>', 62.0
    for words, colour in kinds:
        text += f'<rect x="{x:.0f}" y="{y + 3.5:.1f}" width="10" height="10" fill="{colour}"/>'
        text += f'<text x="{x + 15:.0f}" y="{y + 13:.1f}" fill="#444" font-size="12">{words}</text>'
        x += 15.0 + 6.3 * len(words) + 14.0
    return text, y + 20.0


def _percent(share: float) -> str:
    return "under 1 %" if share < 1.0 else f"{share:.0f} %"


def alt_text(budget: Budget) -> str:
    """The panel in words."""
    variance = budget.u_c**2
    largest = [
        f"{part.name} {number(part.u_c, 2)} °C ({_percent(100 * part.u_c**2 / variance)} of the variance)"
        for part in budget.parts[:3]
        if variance > 0 and part.u_c > 0
    ]
    text = f"{budget.title}: standard uncertainty {number(budget.u_c, 2)} °C"
    text += f", mostly {', '.join(largest)}" if largest else ""
    if budget.other_c is not None:
        text += f"; {budget.other_words} it would be {number(budget.other_c, 2)} °C"
    return text + "."


def _parts_table(budget: Budget) -> TextTable:
    rows = tuple(
        (
            part.name,
            KINDS[part.scope][0],
            number(part.u_c, 3),
            part.shape,
            part.source.removesuffix(", assumed") + (f"; doi:{part.doi}" if part.doi else ""),
            part.known_from or "derived",
        )
        for part in budget.parts
    )
    note = (
        "Default: neither the file nor the study states it. study.toml can state a camera's accuracy and noise under "
        "[camera.ID], and all other defaults under [uncertainty]. Derived: follows from other parts or the picture."
    )
    return TextTable(
        f"All parts: {budget.title[:1].lower()}{budget.title[1:]}",
        ("part", "shared by", "u, °C", "distribution", "figure and source", "how known"),
        rows,
        note,
    )


def detectable_table(result: StudyResult) -> TextTable:
    """The smallest detectable change of each metric: from measurement, and from people's own variation."""
    table = result.comparison_table
    rows = tuple(_detectable_row(item) for item in smallest_detectable_changes(table))
    note = (
        "Measurement alone: 1.96 u of the changes in this report, their median (smallest to largest). A person's own "
        "variation: 1.96·√2·√(1 − ICC) standard deviations between people, from published test–retest of the hands in "
        "a cold challenge (doi:10.1002/art.40457), with the bounds of its 95 % interval. The two are different things "
        "and both count; nothing comparable is published for toes. Times after cold water that were not reached "
        "have no change and are not among them."
    )
    header = (
        "figure", "changes", "from measurement alone", "from a person's own variation, SD between people",
        "found in",
    )  # fmt: skip
    return TextTable("Smallest detectable change, 95 %", header, rows, note)


def _detectable_row(item: DetectableChange) -> tuple[str, ...]:
    cold = REWARMING.get(item.metric)
    measured = "–"
    if item.n and not isnan(item.measurement):
        divisor, decimals, unit = (1.0, 2, "°C") if cold is None else (cold.divisor, max(cold.decimals, 1), cold.unit)
        measured = f"{number(item.measurement / divisor, decimals)}{NBSP}{unit}"
        if item.n > 1:
            ends = (number(value / divisor, decimals) for value in (item.lowest, item.highest))
            measured += f" ({' to '.join(ends)})"
    person = "not published"
    if item.person_sd is not None:
        person = f"{number(item.person_sd)} ({number(item.person_sd_low)} to {number(item.person_sd_high)})"
    whom = "fingers, not toes" if item.doi else "–"
    words = METRICS.get(item.metric, item.metric.replace("_", " "))
    if cold is not None:
        words = f"after cold water: {cold.words}"
    return words, str(item.n or "–"), measured, person, whom


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
