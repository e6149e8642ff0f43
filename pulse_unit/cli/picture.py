"""A budget as a picture: bars of current, one for each term, as SVG."""

from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape

from pulse_unit.cli.budget import GOAL_YEARS, Budget, average_ua

_WIDTH: Final = 720
_LEFT: Final = 150
_RIGHT: Final = 130
_ROW: Final = 26
_TOP: Final = 108
_BAR: Final = 16
_COLOURS: Final = (
    *("#6b7280", "#94a3b8", "#cbd5e1", "#a8a29e", "#2563eb", "#60a5fa", "#0ea5e9"),
    *("#14b8a6", "#10b981", "#f59e0b", "#f97316", "#ef4444", "#b91c1c"),
)


def budget_svg(budget: Budget, title: str) -> str:
    """Draw a budget: all of it against what 20 years allow, and each term by itself."""
    room = Decimal(_WIDTH - _LEFT - _RIGHT)
    scale = room / max(budget.average_ua, budget.goal_ua)
    lines = [_text(16, 28, title, size=16, weight="bold")]
    lines.append(
        _text(
            16,
            50,
            f"{budget.average_ua:.2f} µA on average, {budget.years} years;"
            f" {GOAL_YEARS} years allow {budget.goal_ua:.2f} µA",
        )
    )
    lines += _stack(budget, scale)
    widest = max(average_ua(term.day_nc) for term in budget.terms)
    for row, term in enumerate(budget.terms):
        top = _TOP + row * _ROW
        current = average_ua(term.day_nc)
        width = room * current / widest
        lines.append(_text(_LEFT - 8, top + 13, term.name, anchor="end"))
        lines.append(_bar(_LEFT, top, width, _COLOURS[row % len(_COLOURS)], term.name))
        told = f"{current:.2f} µA, {budget.percent(term)} %"
        lines.append(_text(_LEFT + width + 6, top + 13, told))
    height = _TOP + len(budget.terms) * _ROW + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" font-family="sans-serif">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join(lines)
        + "\n</svg>\n"
    )


def _stack(budget: Budget, scale: Decimal) -> list[str]:
    """One bar of all terms, and a mark at what the goal allows."""
    lines = [_text(_LEFT - 8, 77, "all of it", anchor="end")]
    left = Decimal(_LEFT)
    for row, term in enumerate(budget.terms):
        width = average_ua(term.day_nc) * scale
        lines.append(_bar(left, 64, width, _COLOURS[row % len(_COLOURS)], term.name))
        left += width
    mark = _LEFT + budget.goal_ua * scale
    lines.append(f'<path d="M{mark:.1f} 58v28" stroke="#111827" stroke-width="2"/>')
    lines.append(_text(mark + 5, 77, f"{GOAL_YEARS} years"))
    return lines


def _bar(left: Decimal | int, top: int, width: Decimal, colour: str, name: str) -> str:
    return (
        f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}">'
        f"<title>{escape(name)}</title></rect>"
    )


def _text(
    left: Decimal | int,
    base: int,
    text: str,
    *,
    size: int = 13,
    anchor: str = "start",
    weight: str = "normal",
) -> str:
    return (
        f'<text x="{left:.1f}" y="{base}" font-size="{size}" text-anchor="{anchor}"'
        f' font-weight="{weight}" fill="#111827">{escape(text)}</text>'
    )
