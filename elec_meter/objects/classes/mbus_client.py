"""COSEM class 72: what the meter knows of a device that it collects (IEC 62056-6-2, 4.8.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Final

from elec_meter.objects.classes.base import CosemObject, Now, Scalar
from elec_meter.unit_report import UnitFault, UnitReport
from shared.obis import Obis
from shared.timegrid import HALF_HOUR_S
from shared.wire.address import manufacturer_code

NO_KEY: Final = 0
KEY_IN_USE: Final = 4
_IDENTIFICATION: Final = 6
_BYTE: Final = 0xFF
# The bits of an EN 13757-3 status byte: low power, a permanent error, one that passes.
_STATUS: Final = {
    UnitFault.LOW_BATTERY: 0x04,
    UnitFault.MEMORY: 0x08,
    UnitFault.CLOCK: 0x10,
    UnitFault.EDGES: 0x10,
}


class MBusClient(CosemObject):
    """A pulse unit as an M-Bus device; its value is its identification number, as printed.

    Installing, removing and keys are the collector's: no method is offered.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        port: the master port setup.
        serial: the unit's, eight digits.
        report: gives what is known of it; None as long as it is not paired.
    """

    class_id: ClassVar[int] = 72
    value_attribute: ClassVar[int] = _IDENTIFICATION

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        *,
        port: str,
        serial: str,
        report: Callable[[], UnitReport | None],
    ) -> None:
        super().__init__(obis, name, now)
        self._port = Obis.parse(port)
        self._serial = serial
        self._report = report

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people; the identification number is a text of eight digits."""
        return self._serial if attribute == _IDENTIFICATION else super().present(attribute, now)

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {
            2: lambda _: self._port,
            3: lambda _: (),
            4: lambda _: HALF_HOUR_S,
            5: lambda _: 0,
            6: lambda _: int(self._serial, 16),
            7: lambda _: self._of(_manufacturer),
            8: lambda _: self._of(lambda report: report.version),
            9: lambda _: self._of(lambda report: report.medium),
            10: lambda _: self._of(lambda report: report.access_number),
            11: lambda _: self._of(_status),
            12: lambda _: self._of(lambda report: int(report.faults) & _BYTE),
            13: lambda _: 0,
            14: lambda _: self._of(lambda report: KEY_IN_USE if report.is_keyed else NO_KEY),
        }

    def _of(self, read: Callable[[UnitReport], int | None]) -> int | None:
        report = self._report()
        return None if report is None else read(report)


def _manufacturer(report: UnitReport) -> int | None:
    return None if report.manufacturer is None else manufacturer_code(report.manufacturer)


def _status(report: UnitReport) -> int:
    status = 0
    for fault, bit in _STATUS.items():
        status |= bit if fault in report.faults else 0
    return status
