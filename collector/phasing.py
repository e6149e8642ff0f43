"""Telling units that listen where they are in the half-hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from shared.timegrid import HALF_HOUR_MS

from .keys import Keys
from .phase import is_phase_due
from .storage.registry import PhaseState, Registry
from .unit import PairedUnit

if TYPE_CHECKING:
    from .particulars import PairingOutcome


class Phasing:
    """Who listens now, and what each unit was told before.

    Args:
        registry: where that is kept.
        keystore: the units' keys, which seal what is told.
    """

    def __init__(self, registry: Registry, keystore: Keys) -> None:
        self._registry = registry
        self._keystore = keystore
        self._listening: dict[str, None] = {}

    def listens(self, serial: str) -> None:
        """A telegram was accepted that opens a reply window."""
        self._listening[serial] = None

    def go_on(self, outcome: PairingOutcome) -> None:
        """Take over what a unit was told while it was being paired."""
        phased_ms = outcome.phased_ms
        self._registry.set_phase(
            outcome.record.serial,
            PhaseState(
                command_counter=outcome.command_counter,
                phasings=0 if phased_ms is None else 1,
                phased_ms=phased_ms,
                phased_boot=None if phased_ms is None else outcome.heard.key.boot,
            ),
        )

    def commands(self, units: Mapping[str, PairedUnit], now_ms: int) -> list[tuple[str, bytes]]:
        """(serial, command) for each that has listened since the last call and is to be told.

        Args:
            units: all that are paired, by serial.
            now_ms: UNIX milliseconds.
        """
        listening, self._listening = self._listening, {}
        commands = ((serial, self._command(units[serial], now_ms)) for serial in listening)
        return [(serial, command) for serial, command in commands if command is not None]

    def _command(self, unit: PairedUnit, now_ms: int) -> bytes | None:
        serial = unit.record.serial
        key = self._keystore.get(serial)
        if key is None or unit.heard is None:
            return None
        phase, boot = self._registry.phase(serial), unit.heard.key.boot
        if not is_phase_due(phase, boot, now_ms, unit.grid_tick_dms()):
            return None
        from shared.crypto.backend_cryptography import AesBlock
        from shared.wire.command import seal_phase

        counter = phase.command_counter + 1
        told = replace(
            phase,
            command_counter=counter,
            phasings=phase.phasings + 1,
            phased_ms=now_ms,
            phased_boot=boot,
        )
        self._registry.set_phase(serial, told)
        return seal_phase(AesBlock, key, counter, now_ms % HALF_HOUR_MS)
