"""What the display shows at an instant, as plain data, and as lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Direction = Literal["import", "export"]

_ARROWS: Final[dict[Direction | None, str]] = {"import": "→", "export": "←", None: " "}
_WIDTH: Final = 26


@dataclass(frozen=True, slots=True)
class Icons:
    """The symbols around the digits.

    Attributes:
        rate: the active import rate, None while it is not known.
        direction: which way energy flows, None for neither or not known.
        low_battery: a unit's battery is low.
        radio_silent: a unit has not been heard for too long.
        alarm: the meter itself has something to say.
    """

    rate: int | None = None
    direction: Direction | None = None
    low_battery: bool = False
    radio_silent: bool = False
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class DisplaySnapshot:
    """The display at one instant.

    Attributes:
        text: eight places, right-aligned, with points and colons between them; `--------` for a
            value that is not known.
        mnemonic: up to eight characters.
        unit: as shown, empty for none.
        icons: the symbols.
        object: OBIS code of what is shown, empty for an empty list.
        screen: number of the screen in its list, from 1.
        screens: how many there are.
    """

    text: str
    mnemonic: str = ""
    unit: str = ""
    icons: Icons = Icons()
    object: str = ""
    screen: int = 0
    screens: int = 0

    def lines(self) -> list[str]:
        """The display drawn for a terminal: lines of equal width."""
        icons = self.icons
        rate = "" if icons.rate is None else f"R{icons.rate}"
        signs = [
            _ARROWS[icons.direction],
            "BATT" if icons.low_battery else "",
            "RADIO" if icons.radio_silent else "",
            "ALARM" if icons.alarm else "",
        ]
        face = [
            f"{self.mnemonic:<{_WIDTH - 6}}{rate:>6}",
            f"{self.text:>{_WIDTH - 8}}  {self.unit:<6}",
            " ".join(sign for sign in signs if sign),
        ]
        edge = "─" * (_WIDTH + 2)
        return [f"┌{edge}┐", *(f"│ {line:<{_WIDTH}} │" for line in face), f"└{edge}┘"]
