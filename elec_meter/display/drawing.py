"""The display as a picture (SVG): the same snapshot that is drawn as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from elec_meter.display.segments import SEGMENT_NAMES

if TYPE_CHECKING:
    from elec_meter.display.snapshot import DisplaySnapshot

_PLACE_WIDTH: Final = 40
_LEFT: Final = 16
_TOP: Final = 44
_WIDTH: Final = 440
_HEIGHT: Final = 150
_INK: Final = "#1c2a1c"
_FACE: Final = "#b7c9a8"
_LED: Final = "#d22"
_UNLIT_OPACITY: Final = "0.06"

# Lines within a place that is 24 wide and 56 high, by the name of their segment.
_LINES: Final = {
    "a": "M3 0H21",
    "b": "M24 3V25",
    "c": "M24 31V53",
    "d": "M3 56H21",
    "e": "M0 31V53",
    "f": "M0 3V25",
    "g": "M3 28H10",
    "G": "M14 28H21",
    "h": "M4 5L10 23",
    "i": "M12 4V24",
    "j": "M20 5L14 23",
    "k": "M10 33L4 51",
    "l": "M12 32V52",
    "m": "M14 33L20 51",
    "p": "M31 56h.1",
    "q": "M31 18h.1M31 38h.1",
}
_ARROWS: Final = {"import": "M392 24h20l-7-6m7 6l-7 6", "export": "M412 24h-20l7-6m-7 6l7 6"}


def svg(snapshot: DisplaySnapshot) -> str:
    """An SVG document of its own; it asks for nothing else, no font and no script."""
    icons = snapshot.icons
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    spoken = quoteattr(_spoken(snapshot))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={spoken}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="{_FACE}"/>',
        f'<g fill="none" stroke="{_INK}" stroke-width="4" stroke-linecap="round">',
        *_places(snapshot),
    ]
    if icons.direction is not None:
        parts.append(f'<path d="{_ARROWS[icons.direction]}" stroke-width="3"/>')
    parts += [
        "</g>",
        f'<g fill="{_INK}" font-family="monospace" font-size="18">',
        f'<text x="{_LEFT}" y="30">{escape(snapshot.mnemonic)}</text>',
        f'<text x="{_WIDTH - 84}" y="{_TOP + 56}">{escape(snapshot.unit)}</text>',
        f'<text x="{_LEFT}" y="{_HEIGHT - 16}" font-size="14">{" ".join(snapshot.signs())}</text>',
    ]
    if icons.rate is not None:
        flash = _FLASH if icons.is_rate_shown else ""
        parts.append(f'<text x="320" y="30">R{icons.rate}{flash}</text>')
    if snapshot.is_led_lit:
        parts.append(f'<circle cx="{_WIDTH - 16}" cy="{_HEIGHT - 20}" r="6" fill="{_LED}"/>')
    return "".join([*parts, "</g></svg>"])


_FLASH: Final = (
    '<animate attributeName="opacity" values="1;0" dur="1s" calcMode="discrete"'
    ' repeatCount="indefinite"/>'
)


def _places(snapshot: DisplaySnapshot) -> list[str]:
    drawn = []
    for number, lit in enumerate(snapshot.segments):
        lines = {True: "", False: ""}
        for bit, name in enumerate(SEGMENT_NAMES):
            lines[bool(lit >> bit & 1)] += _LINES[name]
        at = f'transform="translate({_LEFT + 2 + number * _PLACE_WIDTH} {_TOP})"'
        if lines[False]:
            drawn.append(f'<path {at} d="{lines[False]}" opacity="{_UNLIT_OPACITY}"/>')
        if lines[True]:
            drawn.append(f'<path {at} d="{lines[True]}"/>')
    return drawn


def _spoken(snapshot: DisplaySnapshot) -> str:
    icons = snapshot.icons
    words = [snapshot.mnemonic, snapshot.text.strip(), snapshot.unit]
    words += [f"rate {icons.rate}"] if icons.rate is not None else []
    words += [icons.direction] if icons.direction is not None else []
    return " ".join(word for word in [*words, *snapshot.signs()] if word)
