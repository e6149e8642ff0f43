"""Bearers by what they are plugged into, as options and files name them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collector.errors import BearerSettingError

from .device import host_utc_ms

if TYPE_CHECKING:
    from collector.mbus_scripts import MbusSlave

    from .base import Bearer

STICK_KINDS: Final = ("im871a", "amb8465", "cul", "hex")


def parse_stick(text: str) -> tuple[str, str]:
    """Kind and port of `KIND:PORT`.

    Raises:
        BearerSettingError: it is not written so.
    """
    from shared.serial_port import is_port

    kind, _, port = text.partition(":")
    if kind not in STICK_KINDS or not port:
        raise BearerSettingError(f"write KIND:PORT with KIND one of {', '.join(STICK_KINDS)}")
    if not is_port(port):
        raise BearerSettingError("write socket://HOST:PORT")
    return kind, port


def open_bearers(
    wake: Callable[[], None],
    *,
    sticks: Sequence[tuple[str, str]] = (),
    wires: Sequence[str] = (),
    ble: str | None = None,
    replays: Sequence[Path] = (),
    replay_delay_s: int | None = None,
    serials: Sequence[str] | None = (),
    clock_ms: Callable[[], int] = host_utc_ms,
) -> list[Bearer]:
    """Bearers of every kind, each with a name of its own.

    Args:
        wake: called, from any thread, when a bearer has something.
        sticks: kind and port of radio sticks.
        wires: ports of wired buses.
        ble: a Bluetooth adapter.
        replays: files of recorded telegrams.
        replay_delay_s: the greatest delay of whoever recorded them; None if it is not known.
        serials: units that a wired bus is asked for; its only meter if there are none, and nobody
            if it is None: it is to be searched.
        clock_ms: the host's UTC, UNIX milliseconds.

    Raises:
        CollectorError: a recording cannot be read, or an option is none of a bearer's.
    """
    from .replay import ReplayFile

    bearers: list[Bearer] = [ReplayFile(path, delay_max_s=replay_delay_s) for path in replays]
    if sticks:
        from .wmbus_stick import WmbusStick

        bearers += [
            WmbusStick(kind, port, name=f"stick {number}", wake=wake, clock_ms=clock_ms)
            for number, (kind, port) in enumerate(sticks, 1)
        ]
    if wires:
        from .mbus_master import MbusMaster

        bearers += [
            MbusMaster(port, _slaves(serials), name=f"wire {number}", wake=wake, clock_ms=clock_ms)
            for number, port in enumerate(wires, 1)
        ]
    if ble is not None:
        from .ble import BleBearer

        bearers.append(BleBearer(adapter=ble, name="ble", wake=wake, clock_ms=clock_ms))
    return bearers


def _slaves(serials: Sequence[str] | None) -> list[MbusSlave]:
    """Those that are read: by serial, whoever made them; else the one meter on the bus, or none."""
    from collector.mbus_scripts import MbusSlave
    from shared.wire.address import serial_bytes
    from shared.wire.mbus import ADDRESS_ALL_REPLY

    if serials is None:
        return []
    if not serials:
        return [MbusSlave(primary=ADDRESS_ALL_REPLY)]
    return [MbusSlave(secondary=serial_bytes(serial) + bytes([0xFF] * 4)) for serial in serials]
