"""What the display shows at an instant, as plain data, and as lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from elec_meter.config.places import DISPLAY_DIGITS
from elec_meter.display.segments import ALL_LIT, cells

Direction = Literal["import", "export"]
ContactorIcon = Literal["open", "closed", "armed"]

_ARROWS: Final[dict[Direction | None, str]] = {"import": "→", "export": "←", None: " "}
_WIDTH: Final = 26
_SWITCH_SIGNS: Final = ("OPEN", "ARMED", "FLAG")


@dataclass(frozen=True, slots=True)
class Icons:
    """The symbols around the digits.

    Attributes:
        rate: the active import rate, None while it is not known.
        direction: which way energy flows, None for neither or not known.
        low_battery: a unit's battery is low.
        radio_silent: a unit has not been heard for too long.
        alarm: the meter itself has something to say.
        contactor: what it is; None where there is none.
        flag_busy: somebody speaks with the FLAG port.
        is_rate_shown: the digits show the register of the active rate: its number flashes.
    """

    rate: int | None = None
    direction: Direction | None = None
    low_battery: bool = False
    radio_silent: bool = False
    alarm: bool = False
    contactor: ContactorIcon | None = None
    flag_busy: bool = False
    is_rate_shown: bool = False


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
        is_test: all segments and icons are lit, whatever else stands here.
        is_led_lit: the LED beside the display flashes with the energy.
    """

    text: str
    mnemonic: str = ""
    unit: str = ""
    icons: Icons = Icons()
    object: str = ""
    screen: int = 0
    screens: int = 0
    is_test: bool = False
    is_led_lit: bool = False

    @property
    def segments(self) -> tuple[int, ...]:
        """What is lit of each of the eight places: see `display.segments`."""
        return (ALL_LIT,) * DISPLAY_DIGITS if self.is_test else cells(self.text)

    def svg(self) -> str:
        """The display drawn as a picture, with its text for who cannot see it."""
        from elec_meter.display.drawing import svg

        return svg(self)

    def lines(self) -> list[str]:
        """The display drawn for a terminal: lines of equal width."""
        icons = self.icons
        rate = "" if icons.rate is None else f"R{icons.rate}{'*' * icons.is_rate_shown}"
        signs = self.signs()
        states = [sign for sign in signs if sign not in _SWITCH_SIGNS]
        face = [
            f"{self.mnemonic:<{_WIDTH - 6}}{rate:>6}",
            f"{self.text:>{_WIDTH - 8}}  {self.unit:<6}",
            " ".join([_ARROWS[icons.direction], *states]),
            " ".join(sign for sign in signs if sign in _SWITCH_SIGNS),
        ]
        edge = "─" * (_WIDTH + 2)
        return [f"┌{edge}┐", *(f"│ {line:<{_WIDTH}} │" for line in face), f"└{edge}┘"]

    def icons_lit(self) -> list[str]:
        """All that is lit beside the digits, as words."""
        icons = self.icons
        words = [] if icons.rate is None else [f"rate {icons.rate}"]
        words += [] if icons.direction is None else [icons.direction]
        return words + [sign.lower() for sign in self.signs()]

    def signs(self) -> list[str]:
        """The icons that are lit, as words, without rate and arrow."""
        icons = self.icons
        lit = [
            ("BATT", icons.low_battery),
            ("RADIO", icons.radio_silent),
            ("ALARM", icons.alarm),
            ("OPEN", icons.contactor == "open"),
            ("ARMED", icons.contactor == "armed"),
            ("FLAG", icons.flag_busy),
        ]
        return [word for word, is_lit in lit if is_lit or self.is_test]


def segment_test(screens: int) -> DisplaySnapshot:
    """Everything lit: the first screen of the service list."""
    every = Icons(
        rate=88,
        direction="import",
        low_battery=True,
        radio_silent=True,
        alarm=True,
        contactor="closed",
        flag_busy=True,
    )
    text = "8." * DISPLAY_DIGITS
    return DisplaySnapshot(text, "########", "#####", every, "", 1, screens, is_test=True)
