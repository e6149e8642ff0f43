from __future__ import annotations

from elec_meter.config import (
    ContactorConfig,
    MeterConfig,
    PulseInputConfig,
    PulseOutputConfig,
    RelayConfig,
    TerminalConfig,
    terminal_block,
)


def test_the_block_is_that_of_a_single_phase_meter() -> None:
    """Four places for the mains, four small ones, the port and the slot."""
    places = [(place.label, place.rating_a, place.use) for place in terminal_block(MeterConfig())]
    assert [
        ("L in", 80, "supply"),
        ("N in", 80, "supply"),
        ("N out", 80, "mains"),
        ("L out", 80, "mains through the contactor"),
        *((str(number), 5, "off") for number in range(1, 5)),
        ("FLAG", None, "optical port"),
        ("slot", None, "add-on"),
    ] == places


def test_variants_have_what_they_are_configured_for() -> None:
    """A switched load, no contactor, and as many small places as the highest number asks for."""
    config = MeterConfig(
        contactor=ContactorConfig(mode=0),
        switched_load=RelayConfig(),
        terminals=(
            TerminalConfig(number=1, relay=RelayConfig()),
            TerminalConfig(number=2, pulse_in=PulseInputConfig()),
            TerminalConfig(number=6, pulse_out=PulseOutputConfig()),
        ),
    )
    block = {place.label: (place.use, place.line) for place in terminal_block(config)}
    assert ("switched load", 9) == block["L switched"]
    assert ("mains", None) == block["L out"]
    off = [("off", number) for number in (3, 4, 5)]
    wanted = [("relay", 1), ("pulse input", 2), *off, ("pulse output", 6)]
    assert wanted == [block[str(number)] for number in range(1, 7)]
    assert "7" not in block
