"""The merged rows of all channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from elec_meter.config.tariff import REACTIVE
from shared.timegrid import HALF_HOUR_S, half_hour_ceiling_s

from .account import Account
from .channels import PulseChannel, PulseReading
from .data import DataChannels
from .profile import Profile
from .state import EnergyRow, RowStatus

_Readers: TypeAlias = list[tuple[str, Callable[[int], PulseReading]]]


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A row of every channel that has rows of its length.

    Attributes:
        start_s: its start in UNIX seconds, UTC.
        deltas: Wh under `import_wh` and `export_wh`, varh under `reactive_q1_varh` to `q4`, pulses
            under `<channel>_pulses`, and what data channels recorded under their names; None is not
            known (yet).
        status: the row's status bits.
        channel_status: the collector's status byte of each pulse key; a key is missing when no unit
            was paired then, or when the row has left by depth.
        period_s: its length.
        revision: how often it was amended after it had closed.
        indexes: by energy key, the sum of all rows up to and with this one, those that have left by
            depth included; empty where nobody asked for them.
    """

    start_s: int
    deltas: dict[str, int | None]
    status: RowStatus
    channel_status: dict[str, int]
    period_s: int = HALF_HOUR_S
    revision: int = 0
    indexes: dict[str, int] = field(default_factory=dict)

    @property
    def end_s(self) -> int:
        """The first UNIX second after it."""
        return self.start_s + self.period_s


@cache
def energy_key(channel: str) -> str:
    """The key of an energy channel's deltas."""
    return f"{channel}_{energy_unit(channel).lower()}"


def energy_unit(channel: str) -> str:
    """What an energy channel counts: Wh, or varh."""
    return "varh" if channel.startswith(REACTIVE) else "Wh"


def pulse_key(channel: str) -> str:
    """The key of a pulse channel's deltas."""
    return f"{channel}_pulses"


_status = cache(RowStatus)


class Rows:
    """Reads rows of energy, pulses and data together.

    Args:
        profile: rows of the energy channels.
        accounts: the energy channels, in the order of the profile's columns.
        pulses: the pulse channels.
        data: the data channels.
    """

    def __init__(
        self,
        profile: Profile,
        accounts: Mapping[str, Account],
        pulses: Mapping[str, PulseChannel],
        data: DataChannels,
    ) -> None:
        self._profile = profile
        self._accounts = accounts
        self._pulses = pulses
        self._data = data

    def closed(
        self, from_s: int, to_s: int, unallocated: list[int] | None = None
    ) -> Iterator[ProfileRow]:
        """Closed rows that start in `[from_s, to_s)`.

        Half-hours of gas have rows of their own where the integration period is another.

        Args:
            from_s: where they begin.
            to_s: where they end.
            unallocated: by energy channel, what is in no row; None where nobody wants indexes: the
                sums that they begin with are of every row that there is.
        """
        profile = self._profile
        to_s = min(to_s, profile.end_s)
        readers = self._readers(from_s, to_s)
        keys = [energy_key(name) for name in self._accounts]
        indexes = [] if unallocated is None else self._indexes(from_s, unallocated)
        gas_s = half_hour_ceiling_s(max(from_s, profile.first_s))
        for row in profile.between(from_s, to_s):
            if indexes:
                pairs = zip(indexes, row.deltas, strict=True)
                indexes = [before + delta for before, delta in pairs]
            if not self._is_closed(row.start_s):
                continue
            period_s = profile.period_s(row.start_s)
            if period_s == HALF_HOUR_S:
                yield self._merged(row, period_s, keys, readers, indexes)
                gas_s = max(gas_s, row.start_s + HALF_HOUR_S)
                continue
            yield self._merged(row, period_s, keys, [], indexes)
            while readers and gas_s + HALF_HOUR_S <= row.start_s + period_s:
                # A clock that was set back by years leaves as long a way to the next row.
                if any(reader(gas_s)[1] is not None for _, reader in readers):
                    yield self._merged(EnergyRow(gas_s, (), 0), HALF_HOUR_S, keys, readers, [])
                gas_s += HALF_HOUR_S

    def open(self) -> Iterator[ProfileRow]:
        """Rows that have not closed: one, or more when energy came ahead of the clock."""
        open_s, end_s = self._profile.open_s, self._profile.end_s
        readers = self._readers(open_s, end_s)
        keys = [energy_key(name) for name in self._accounts]
        for row in self._profile.between(open_s, end_s):
            if not self._is_closed(row.start_s):
                period_s = self._profile.period_s(row.start_s)
                yield self._merged(row, period_s, keys, readers, [])

    def _indexes(self, from_s: int, unallocated: list[int]) -> list[int]:
        """By energy channel, the sum of all rows before an instant."""
        totals = [account.total for account in self._accounts.values()]
        later = self._profile.sums(from_s)
        return [
            total - left - in_rows
            for total, left, in_rows in zip(totals, unallocated, later, strict=True)
        ]

    def _merged(
        self,
        row: EnergyRow,
        period_s: int,
        keys: list[str],
        readers: _Readers,
        indexes: list[int],
    ) -> ProfileRow:
        deltas: dict[str, int | None] = dict(zip(keys, row.deltas, strict=False))
        channel_status: dict[str, int] = {}
        for key, reader in readers:
            deltas[key], status = reader(row.start_s)
            if status is not None:
                channel_status[key] = status
        if row.deltas:
            deltas |= self._data.at(row.start_s)
        return ProfileRow(
            row.start_s,
            deltas,
            _status(row.status),
            channel_status,
            period_s,
            row.revision,
            dict(zip(keys, indexes, strict=False)) if indexes else {},
        )

    def _readers(self, from_s: int, to_s: int) -> _Readers:
        return [
            (pulse_key(name), pulses.reader(from_s, to_s)) for name, pulses in self._pulses.items()
        ]

    def _is_closed(self, start_s: int) -> bool:
        profile = self._profile
        return start_s < profile.open_s or profile.next_s <= start_s < profile.reached_s
