"""Edges that need no process: terminals on a chip, what is not measured, credentials."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import Keystore
from elec_meter import Meter, MeterConfig, Storage
from elec_meter.access import Gate, Level
from elec_meter.config import HostConfig, MainsHost, TerminalsHost
from elec_meter.config.host import DlmsHost, FlagHost, PanelHost, TerminalLine
from elec_meter.hal import CONTACTOR
from elec_meter.host.base import Host
from elec_meter.host.edges import edges_of
from elec_meter.host.ports import CredentialsMissingError, require_passwords
from elec_meter.host.terminals import TerminalsEdge
from elec_meter.ledger import RowStatus
from elec_meter.runtime import Runtime
from elec_meter.sampling import RecordingError
from shared.timegrid import unix_s
from tests.elec_meter.hal.chip import Chip

BEGIN = datetime(2026, 4, 1, 12, tzinfo=UTC)
HOUSE = MainsHost(synthetic_w=1)


def host(tmp_path: Path, **tables: Any) -> Host:
    """A computer with these tables."""
    return Host(
        config=HostConfig(**{"mains": HOUSE} | tables),
        folder=tmp_path,
        data_dir=tmp_path,
        keystore=Keystore.open(tmp_path),
        now=lambda: BEGIN,
        tell=lambda _: None,
    )


@pytest.mark.parametrize(
    ("tables", "given", "sentence"),
    [
        ((DlmsHost, FlagHost, PanelHost), {"listen": "a:1", "key": "a"}, "go together"),
        ((DlmsHost, FlagHost, PanelHost), {"listen": "a:1", "certificate": "a"}, "go together"),
        ((DlmsHost, FlagHost, PanelHost), {"listen": "a:65536"}, "65535"),
        (
            (DlmsHost, FlagHost),
            {"certificate": "a", "key": "a", "listen": None},
            "a certificate is for 'listen'",
        ),
    ],
)
def test_a_port_that_could_never_open_is_refused(
    tables: tuple[type[DlmsHost | FlagHost | PanelHost], ...], given: dict[str, Any], sentence: str
) -> None:
    """By one rule, whatever listens there."""
    for table in tables:
        serial = {"optical": "/dev/ttyUSB0"} if table is FlagHost else {}
        with pytest.raises(ValueError, match=sentence):
            table(**given | serial)


def test_contactor_and_relays_are_on_their_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contactor closes at the start, after a commit, and opens when it is ordered to."""
    chip = Chip()
    monkeypatch.setitem(sys.modules, "gpiod", chip)
    table = TerminalsHost(
        chip="/dev/gpiochip0",
        contactor=17,
        button=27,
        outputs=(TerminalLine(terminal=1, line=5),),
        inputs=(TerminalLine(terminal=2, line=22),),
    )
    edge = TerminalsEdge(host(tmp_path, terminals=table))
    with Storage.open(tmp_path / "home") as storage:
        now = BEGIN
        meter = Meter(MeterConfig(), storage, now)
        runtime = Runtime(meter, lambda: now, **edge.arguments())
        assert {17, 5, 27, 22} == set(chip.wanted)
        assert [] == chip.history
        attempts = storage.attempts
        runtime.step()
        assert [(17, True)] == chip.history
        assert attempts < storage.attempts
        attempts = storage.attempts
        runtime.step()
        assert attempts == storage.attempts
        meter.open_contactor(now)
        runtime.step()
        assert (17, False) == chip.history[-1]
        assert not meter.switchgear.outputs()[CONTACTOR]
    assert not chip.is_released
    edge.close()
    assert chip.is_released


def test_half_hours_without_samples_are_not_valid_as_they_go() -> None:
    """The one in which it began, those that pass, and the one under way; none before or after."""
    meter = Meter(MeterConfig(), Storage.in_memory(), BEGIN)
    half_hour = timedelta(minutes=30)
    now = since = BEGIN + half_hour + timedelta(minutes=10)
    meter.handle_timer(now)
    while now < BEGIN + 3 * half_hour + timedelta(minutes=5):
        now += timedelta(seconds=30)
        meter.miss_samples(since, now)
        meter.handle_timer(now)
        since = now
    meter.handle_timer(BEGIN + 5 * half_hour + timedelta(seconds=3))
    rows = meter.ledger.rows(unix_s(BEGIN), unix_s(BEGIN + 5 * half_hour))
    missed = RowStatus.DATA_NOT_VALID
    assert [0, missed, missed, missed, 0] == [row.status for row in rows]


def test_a_gap_that_spans_a_change_of_the_clock_marks_no_past() -> None:
    """Where the time was set meanwhile, what was before it is not known by the new time."""
    meter = Meter(MeterConfig(), Storage.in_memory(), BEGIN)
    since, now = BEGIN + timedelta(minutes=1), BEGIN + timedelta(minutes=2)
    meter.set_clock(BEGIN + timedelta(hours=4), now)
    meter.miss_samples(since, now + timedelta(seconds=5))
    (row, *_) = meter.ledger.rows(unix_s(BEGIN), unix_s(BEGIN) + 1_800)
    assert not row.status & RowStatus.DATA_NOT_VALID


def test_every_level_needs_a_password() -> None:
    """The sentence names those that have none, and the command that sets the first."""
    gate = Gate(lambda: "00000001", lambda *_: None)
    gate.set_password(Level.INSTALLER, "one", bytes(16), BEGIN)
    expected = (
        "the FLAG port is not opened, because levels 1 and 3 have no password:"
        " `elec-meter control password 1 --data home` sets that of level 1"
    )
    with pytest.raises(CredentialsMissingError) as refusal:
        require_passwords(gate, "FLAG", Path("home"))
    assert expected == str(refusal.value)
    gate.set_password(Level.READER, "two", bytes(16), BEGIN)
    with pytest.raises(CredentialsMissingError, match="level 3 has no password"):
        require_passwords(gate, "FLAG", Path("home"))
    gate.set_password(Level.SUPPLIER, "supplier", bytes(16), BEGIN)
    with pytest.raises(CredentialsMissingError, match="level 3 has the demo's password"):
        require_passwords(gate, "FLAG", Path("home"))
    gate.set_password(Level.SUPPLIER, "three", bytes(16), BEGIN)
    require_passwords(gate, "FLAG", Path("home"))


def test_edges_are_those_that_the_file_names(tmp_path: Path) -> None:
    """Without a table there is none; one that could never work is refused before the start."""
    assert ["Mains"] == [type(edge).__name__ for edge in edges_of(host(tmp_path))]
    with pytest.raises(RecordingError, match=r"no\.wav"):
        edges_of(host(tmp_path, mains=MainsHost(recording="no.wav")))
