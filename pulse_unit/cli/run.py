"""`pulse-unit run`: this machine, a Raspberry Pi for one, as a pulse unit."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pulse_unit.cli.run_options import PARAMETERS, read_private
from shared.extras import installing
from shared.telling import Teller

if TYPE_CHECKING:
    from pulse_unit.hal.linux import LinuxBoard, Part, SyncedNvm
    from pulse_unit.unit import PulseUnit
    from shared.label import UnitLabel

_EXAMPLES = """\b
Examples:
  pulse-unit run --label unit.label --memory unit.nvm --reed gpiochip0:17 --ble hci-socket:0
  pulse-unit run --config unit.toml
  pulse-unit run --serial 00000001 --key 0F0E0D0C0B0A09080706050403020100 --passkey 123456 \\
    --memory unit.nvm --reed stdin --stick im871a:/dev/ttyUSB0
"""
_SECRETS: Final = ("key", "passkey")
_MUTE: Final = (
    "{memory} has lost its counters: the unit counts on from {count}, but sends nothing enciphered"
    " any more; stop it and start it with a new label, a new memory and --index from the dial"
)
_SWITCHES: Final = ("tamper", "magnet", "button")


@click.command(params=PARAMETERS, epilog=_EXAMPLES)
def run(as_json: bool, label_path: Path | None, memory: Path, **options: Any) -> None:
    """Count pulses on this machine and tell the collector, until it is stopped.

    Prints every new count; what a part of it is missing is a sentence on standard error, and it is
    tried again. Periods of 0 are none. What a collector has configured comes before these options.
    """
    from pulse_unit.config import UnitConfig
    from pulse_unit.errors import UnitError
    from pulse_unit.main import run as run_board

    label = _label(label_path, options)
    try:
        config = UnitConfig(
            pulse_weight_nl=options["weight_nl"],
            flow_max_l_per_h=round(options["flow_max_m3_h"] * 1000),
            initial_index_l=options["index_l"],
            telegram_period_s=options["telegram_period"],
            advert_period_s=options["advert_period"],
            window_period_s=options["window_period"],
        )
        parts = _parts(options, memory)
        nvm = _opened(memory, label.serial, options["adopt"])
        board = _board(label, memory, nvm, parts, bool(options["reed"][0]), as_json)
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                board.loop.add_signal_handler(number, board.switch_off)
            run_board(board, config)
        finally:
            board.close()
    except (UnitError, OSError) as error:
        raise click.ClickException(f"{error}.") from error


def _label(path: Path | None, options: dict[str, Any]) -> UnitLabel:
    from shared.errors import LabelError
    from shared.label import UnitLabel, read_label

    given = [options[name] for name in ("serial", *_SECRETS)]
    try:
        if path is not None:
            if any(given):
                raise click.UsageError("a label has serial, key and passkey of its own.")
            label = read_label(read_private(path))
            if label.passkey is None and options["ble"] is not None:
                raise click.UsageError("pairing by Bluetooth needs the label's PASSKEY line.")
            return label
        if options["serial"] is None or options["key"] is None:
            raise click.UsageError("a unit has a --label, or a --serial and a --key.")
        if options["passkey"] is None and options["ble"] is not None:
            raise click.UsageError("pairing by Bluetooth needs a --passkey.")
        return UnitLabel(options["serial"], options["key"], options["passkey"])
    except LabelError as error:
        raise click.ClickException(f"{error}.") from error


def _parts(options: dict[str, Any], memory: Path) -> list[Part]:
    """Return what the options give the board."""
    from pulse_unit import board
    from pulse_unit.hal.linux_inputs import REED, GpioInputs, TextInputs

    parts: list[Part] = []
    chips: dict[str, dict[int, int]] = {}
    pins = [(options["reed"], REED)]
    pins += [(options[name], getattr(board, f"INPUT_{name.upper()}")) for name in _SWITCHES]
    for pin, meaning in pins:
        if pin is not None and pin[0]:
            chip, line = pin
            if line in chips.setdefault(chip, {}):
                raise click.UsageError(f"{chip}:{line} cannot be two things.")
            chips[chip][line] = meaning
    parts += [GpioInputs(chip, lines) for chip, lines in chips.items()]
    if not options["reed"][0]:
        parts.append(TextInputs())
    if options["ble"] is not None:
        parts.append(_bluetooth(options["ble"], memory))
    if options["wire"] is not None:
        from pulse_unit.hal.linux_serial import WirePort

        parts.append(WirePort(options["wire"]))
    if options["stick"] is not None:
        from pulse_unit.hal.linux_serial import StickPort

        parts.append(StickPort(*options["stick"]))
    return parts


def _bluetooth(transport: str, memory: Path) -> Part:
    try:
        from pulse_unit.hal.linux_ble import Bluetooth, open_transport
    except ImportError as error:
        raise click.ClickException("Bluetooth needs the extra ble: " + installing("ble")) from error
    return Bluetooth(transport, open_transport(transport), _beside(memory, ".bonds"))


def _beside(memory: Path, suffix: str) -> Path:
    return memory.with_name(memory.name + suffix)


def _opened(memory: Path, serial: str, adopt: bool) -> SyncedNvm:
    """Return the memory of a unit; one of another unit only if it is to be adopted.

    Its serial lies beside it, since the firmware keeps none in its memory.
    """
    from pulse_unit.hal.linux import SyncedNvm
    from pulse_unit.unit import PAGES

    beside = _beside(memory, ".unit")
    nvm = SyncedNvm(str(memory), PAGES)
    try:
        owner = beside.read_text("ascii", "replace").strip() if beside.exists() else ""
        if owner not in ("", serial) and not adopt:
            raise click.ClickException(
                f"{memory} is the memory of unit {owner[:8]}: --adopt lets unit {serial} go on with"
                " its count and log."
            )
        if owner != serial:
            beside.write_text(f"{serial}\n", "ascii")
    except BaseException:
        nvm.close()
        raise
    return nvm


def _board(
    label: UnitLabel,
    memory: Path,
    nvm: SyncedNvm,
    parts: list[Part],
    closed: bool,
    as_json: bool,
) -> LinuxBoard:
    from pulse_unit.hal.linux import LinuxBoard
    from shared.exact_json import exact_json

    teller = Teller("the unit", None if as_json else str)

    class TellingBoard(LinuxBoard):
        """One that prints every new count."""

        told = -1

        def serve(self, unit: PulseUnit) -> None:
            super().serve(unit)
            if unit.count == self.told:
                return
            if self.told < 0 and unit.is_mute:
                self.report(_MUTE.format(memory=memory, count=unit.count))
            self.told = unit.count
            if as_json:
                said = {"serial": unit.serial, "boot": unit.boot, "count": unit.count}
                teller.tell(exact_json({**said, "uptime_s": self.uptime_ms() // 1000}))
            else:
                teller.tell(f"unit {unit.serial}, boot {unit.boot}: count {unit.count}")

        def close(self) -> None:
            super().close()
            teller.close()

    return TellingBoard(
        label,
        nvm,
        parts,
        closed=closed,
        report=lambda sentence: teller.warn(f"{sentence}."),
    )
