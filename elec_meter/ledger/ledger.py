"""The ledger: where a measured quantity becomes real, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import index
from typing import Final

from elec_meter.clock import refuse_backwards
from elec_meter.config import MeterConfig
from elec_meter.errors import LedgerError
from shared.timegrid import DAY_HALF_HOURS, HALF_HOUR_S, half_hour_floor_s
from shared.units import MJ_PER_WH

from .account import Account
from .channels import PulseChannel, PulseSource, pulse_channels
from .profile import EXPORT, IMPORT, Profile
from .state import LedgerChanges, LedgerState, RowStatus

_CHANNELS: Final = ("import", "export")
_COLUMNS: Final = {"import": IMPORT, "export": EXPORT}
_ROW_KEYS: Final = ("import_wh", "export_wh")
_FINAL_LATE: Final = int(RowStatus.FINAL_LATE)


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A closed half-hour of every channel.

    Attributes:
        start_s: its start in UNIX seconds, UTC.
        deltas: Wh under `import_wh` and `export_wh`, pulses under `<channel>_pulses`; None is not
            known (yet).
        status: the row's status bits.
        channel_status: the collector's status byte of each pulse key; a key is missing when no unit
            was paired then, or when the row has left by depth.
    """

    start_s: int
    deltas: dict[str, int | None]
    status: RowStatus
    channel_status: dict[str, int]

    @property
    def end_s(self) -> int:
        """The first UNIX second after it."""
        return self.start_s + HALF_HOUR_S


class Ledger:
    """Totals, rates and half-hours of every channel; INV-1 holds between any two calls.

    Energy channels are `import` and `export`, in whole Wh with the rest carried in mJ. Pulse
    channels come from the configuration and are fed by a collector. Registers have no bound and no
    reset. Quantities are integers of any kind; a float is a `TypeError`. Time is an argument, in
    UNIX seconds as the meter believes them.

    Args:
        config: depth of the profile, calendars, pulse channels.
        state: as storage loaded it; an empty one before the first power-up.
        pulse_source: the collector; without one pulse channels show what was saved.
    """

    def __init__(
        self,
        config: MeterConfig,
        state: LedgerState | None = None,
        pulse_source: PulseSource | None = None,
    ) -> None:
        state = LedgerState() if state is None else state
        self.config = config
        self.pulse_source = pulse_source
        calendars = {"import": config.tariff.import_, "export": config.tariff.export}
        self._accounts = {
            name: Account(name, calendar, state.accounts.get(name))
            for name, calendar in calendars.items()
        }
        depth_rows = config.profile.depth_days * DAY_HALF_HOURS + 1  # the open one besides
        self._profile = Profile(depth_rows, state.rows, state.runs)
        self._pulses = pulse_channels(config, state.pulses, pulse_source)
        self._begun_s = state.begun_s
        self._closed_s = state.closed_s
        self._durable_s = state.durable_s
        self._changed: set[str] = set()

    def power_up(self, now_s: int) -> int:
        """Begin or go on at `now_s`; to be called once before anything is booked.

        What lies between the last durable instant and now becomes one padding run with the status
        power-down, and so do the rows that were open at either end.

        Returns:
            Seconds without power; 0 at the first power-up.

        Raises:
            TimeRunsBackwardsError: `now_s` is before the last durable instant.
        """
        if self._closed_s is None:
            self._begun_s, self._closed_s = now_s, half_hour_floor_s(now_s)
            self._profile.begin(now_s)
            return 0
        last_s = max(self._closed_s, self._durable_s or 0)
        refuse_backwards(last_s, now_s)
        self._profile.pad(last_s, now_s, RowStatus.POWER_DOWN)
        self.close_through(now_s)
        return now_s - last_s

    def accumulate(self, channel: str, energy_mj: int, at_s: int) -> None:
        """Add energy of the second that begins at `at_s`; each Wh that it completes is booked."""
        account = self._account(channel)
        if energy_mj < 0:
            raise LedgerError(f"energy of {energy_mj} mJ cannot be added to {channel}")
        whole_wh, residual_mj = divmod(account.residual_mj + index(energy_mj), MJ_PER_WH)
        if whole_wh:
            self.book(channel, whole_wh, at_s)
        account.residual_mj = residual_mj
        self._changed.add(channel)

    def accumulate_evenly(self, channel: str, energy_mj: int, start_s: int, end_s: int) -> None:
        """Spread energy over `[start_s, end_s)`: what `accumulate` gives second by second.

        After n of N seconds the energy is `floor(energy_mj * n / N)`, so every edge of a half-hour
        or a rate finds exactly the Wh that are complete there.
        """
        account = self._account(channel)
        energy_mj, start_s, end_s = index(energy_mj), index(start_s), index(end_s)
        if energy_mj < 0 or end_s <= start_s:
            raise LedgerError(
                f"energy of {energy_mj} mJ cannot be spread over {end_s - start_s} s of {channel}"
            )
        carried_mj, booked_wh, at_s = account.residual_mj, 0, start_s
        while at_s < end_s:
            half_hour_end_s = half_hour_floor_s(at_s) + HALF_HOUR_S
            edge_s = min(end_s, half_hour_end_s, account.rate_until_s(at_s))
            reached_mj = carried_mj + energy_mj * (edge_s - start_s) // (end_s - start_s)
            whole_wh = reached_mj // MJ_PER_WH - booked_wh
            if whole_wh:
                self.book(channel, whole_wh, at_s)
            booked_wh += whole_wh
            at_s = edge_s
        account.residual_mj = carried_mj + energy_mj - booked_wh * MJ_PER_WH
        self._changed.add(channel)

    def book(self, channel: str, quantity: int, at_s: int) -> None:
        """The one booking: total, rate and half-hour row together, in whole Wh.

        A row that has closed takes what comes late and is marked; one that has left by depth leaves
        it to `aged`.

        Raises:
            LedgerError: a negative quantity, no such energy channel, or an instant before the first
                power-up.
        """
        account = self._account(channel)
        quantity, at_s = index(quantity), index(at_s)
        begun_s, closed_s = self._begun_s, self._closed_s
        if begun_s is None or closed_s is None or at_s < half_hour_floor_s(begun_s):
            raise LedgerError(f"{channel} cannot be booked before the first power-up")
        if quantity < 0:
            raise LedgerError(f"{quantity} Wh cannot be booked to {channel}")
        account.total += quantity
        account.rates[account.rate_at(at_s) - 1] += quantity
        late = _FINAL_LATE if at_s < closed_s else 0
        if not self._profile.add(_COLUMNS[channel], quantity, at_s, late):
            account.aged += quantity
        self._changed.add(channel)

    def mark(self, at_s: int, status: RowStatus) -> None:
        """Set status bits in the row of an instant; one that has left by depth stays as it was."""
        self._profile.add(IMPORT, 0, at_s, status)

    def pad(self, from_s: int, to_s: int, status: RowStatus) -> None:
        """Nothing was measured from `from_s` to `to_s`: one run, however long, and closed rows."""
        self._profile.pad(from_s, to_s, status)
        self.close_through(to_s)

    def close_through(self, now_s: int) -> None:
        """Close the half-hours that have ended by `now_s`, in order, and open the one it is in.

        An earlier instant than before changes nothing.
        """
        if self._closed_s is None:
            raise LedgerError("the ledger has not been powered up")
        self._profile.open_through(now_s)
        self._closed_s = max(self._closed_s, half_hour_floor_s(now_s))
        for column, aged in enumerate(self._profile.evict()):
            if aged:
                name = _CHANNELS[column]
                self._accounts[name].aged += aged
                self._changed.add(name)

    def book_pulses(self) -> None:
        """Book the pulse channels' rows that have become final."""
        for pulses in self._pulses.values():
            pulses.book_final()

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of all channels: `import`, `export`, then the pulse channels."""
        return (*self._accounts, *self._pulses)

    def total(self, channel: str) -> int:
        """The register: Wh, or pulses since the pairing."""
        return self._registers(channel).total

    def rates(self, channel: str) -> list[int]:
        """The rate registers, rate 1 first."""
        return list(self._registers(channel).rates)

    def active_rate(self, channel: str, at_s: int) -> int:
        """The number, from 1, of the rate in force at an instant."""
        if channel in self._pulses:
            return self._pulses[channel].active_rate(at_s)
        return self._account(channel).rate_at(at_s)

    def unrated(self, channel: str) -> int:
        """What is in the register and not yet final; always 0 for energy."""
        return self._pulses[channel].unrated if channel in self._pulses else 0

    def aged(self, channel: str) -> int:
        """What rows held that have left by depth."""
        return self._registers(channel).aged

    def unallocated(self, channel: str) -> int:
        """What was measured while the time was not known: it is in no row."""
        return 0 if channel in self._pulses else self._account(channel).unallocated

    def residual_mj(self, channel: str) -> int:
        """Energy that waits to complete the next Wh, in mJ; of energy channels only."""
        return self._account(channel).residual_mj

    @property
    def begun_s(self) -> int | None:
        """The first power-up; None before it."""
        return self._begun_s

    @property
    def first_s(self) -> int | None:
        """Start of the oldest half-hour that is kept; None before the first power-up."""
        return None if self._closed_s is None else self._profile.first_s

    @property
    def closed_s(self) -> int | None:
        """End of the newest closed half-hour; None before the first power-up."""
        return self._closed_s

    @property
    def row_count(self) -> int:
        """How many rows `rows` can give."""
        if self._closed_s is None:
            return 0
        return (self._closed_s - self._profile.first_s) // HALF_HOUR_S

    def rows(self, from_s: int, to_s: int) -> Iterator[ProfileRow]:
        """The closed half-hours that start in `[from_s, to_s)`, in order of time."""
        closed_s = 0 if self._closed_s is None else self._closed_s
        return self._rows(from_s, min(to_s, closed_s))

    def open_rows(self) -> Iterator[ProfileRow]:
        """The half-hours that have not closed: one, or more when energy came ahead of the clock."""
        if self._closed_s is None:
            return iter(())
        return self._rows(self._closed_s, self._profile.next_s)

    @property
    def profile(self) -> Profile:
        """The rows of import and export, for the audit."""
        return self._profile

    @property
    def pulse_channels(self) -> tuple[PulseChannel, ...]:
        """The pulse channels, for the audit."""
        return tuple(self._pulses.values())

    def changes(self) -> LedgerChanges:
        """What differs from the last saved state."""
        rows, gone_rows = self._profile.changed_rows()
        runs, gone_runs = self._profile.changed_runs()
        return LedgerChanges(
            self._begun_s,
            self._closed_s,
            [self._accounts[name].state() for name in _CHANNELS if name in self._changed],
            rows,
            gone_rows,
            runs,
            gone_runs,
            [changed for pulses in self._pulses.values() if (changed := pulses.changes())],
        )

    def mark_saved(self, durable_s: int) -> None:
        """Everything is durable, up to this instant."""
        self._durable_s = durable_s
        self._changed.clear()
        self._profile.mark_saved()
        for pulses in self._pulses.values():
            pulses.mark_saved()

    def _rows(self, from_s: int, to_s: int) -> Iterator[ProfileRow]:
        readers = [
            (_pulse_key(name), pulses.reader(from_s, to_s)) for name, pulses in self._pulses.items()
        ]
        for row in self._profile.between(from_s, to_s):
            deltas: dict[str, int | None] = dict(zip(_ROW_KEYS, row[1:3], strict=True))
            channel_status: dict[str, int] = {}
            for key, reader in readers:
                deltas[key], status = reader(row.start_s)
                if status is not None:
                    channel_status[key] = status
            yield ProfileRow(row.start_s, deltas, RowStatus(row.status), channel_status)

    def _registers(self, channel: str) -> Account | PulseChannel:
        return self._pulses[channel] if channel in self._pulses else self._account(channel)

    def _account(self, channel: str) -> Account:
        try:
            return self._accounts[channel]
        except KeyError:
            raise LedgerError(f"there is no energy channel {channel!r}") from None


def _pulse_key(channel: str) -> str:
    return f"{channel}_pulses"
