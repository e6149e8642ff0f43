"""The terminal block: what an installer finds at the meter, from left to right."""

from __future__ import annotations

from typing import Final, NamedTuple

from .schema import MeterConfig
from .switchgear import FIRST_TERMINALS, SWITCHED_LOAD, TerminalConfig

MAINS_A: Final = 80
SMALL_A: Final = 5
_CONTACTOR: Final = 0


class TerminalPlace(NamedTuple):
    """One place of the block.

    Attributes:
        label: what stands on it.
        rating_a: amperes; None for what carries no load.
        use: what it is for.
        line: what switches or hears it: 0 the contactor, 1 to 8 a terminal, 9 the switched load;
            None for what nothing does.
    """

    label: str
    rating_a: int | None
    use: str
    line: int | None = None


def terminal_block(config: MeterConfig) -> tuple[TerminalPlace, ...]:
    """The places of a meter: four for the mains, as any single-phase meter has them, and the rest.

    The load-switching variant has a fifth for the mains.
    """
    has_contactor = bool(config.contactor.mode)
    out = "mains through the contactor" if has_contactor else "mains"
    mains = [
        TerminalPlace("L in", MAINS_A, "supply"),
        TerminalPlace("N in", MAINS_A, "supply"),
        TerminalPlace("N out", MAINS_A, "mains"),
        TerminalPlace("L out", MAINS_A, out, _CONTACTOR if has_contactor else None),
    ]
    if config.switched_load is not None:
        mains.append(TerminalPlace("L switched", MAINS_A, "switched load", SWITCHED_LOAD))
    uses = {each.number: _use(each) for each in config.terminals}
    count = max(FIRST_TERMINALS, *uses) if uses else FIRST_TERMINALS
    small = [
        TerminalPlace(str(number), SMALL_A, uses.get(number, "off"), number)
        for number in range(1, count + 1)
    ]
    rest = [TerminalPlace("FLAG", None, "optical port"), TerminalPlace("slot", None, "add-on")]
    return (*mains, *small, *rest)


def _use(terminal: TerminalConfig) -> str:
    if terminal.relay is not None:
        return "relay"
    if terminal.pulse_in is not None:
        return "pulse input"
    return "off" if terminal.pulse_out is None else "pulse output"
