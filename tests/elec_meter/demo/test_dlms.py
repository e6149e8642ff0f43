"""The running demo, read over DLMS by a client that nobody here wrote, and by `show`."""

from __future__ import annotations

import re
from pathlib import Path

from dlms_cosem import cosem, enumerations
from dlms_cosem.clients.dlms_client import DlmsClient
from dlms_cosem.utils import parse_as_dlms_data

from tests.elec_meter.cli.commands import shown, succeeding
from tests.elec_meter.demo.running import demo

LISTENING = re.compile(r"DLMS listens on (.+):(\d+)")


def test_the_client_reads_the_rows_that_show_profile_shows(tmp_path: Path) -> None:
    """With the published password; import and export of every half-hour so far."""
    words = ("--speed", 0, "--start", "2026-01-15T17:00:00Z", "--for", "65m")
    succeeding("demo", "--data", tmp_path, *words)
    with demo(tmp_path, "--speed", 1) as (process, _):
        assert process.stderr is not None
        told = LISTENING.search(process.stderr.readline())
        assert told is not None
        client = DlmsClient.with_tcp_transport(
            told[1],
            int(told[2]),
            client_logical_address=32,
            server_logical_address=1,
            authentication_method=enumerations.AuthenticationMechanism.LLS,
            password=b"halfhourly",
        )
        profile = cosem.CosemAttribute(
            enumerations.CosemInterface.PROFILE_GENERIC, cosem.Obis(1, 0, 99, 1, 0), 2
        )
        with client.session():
            rows = parse_as_dlms_data(client.get(profile))
        expected = [
            (row["channels"]["import_wh"], row["channels"]["export_wh"])
            for row in shown("profile", tmp_path)
        ]
    assert 2 <= len(rows)
    assert expected == [(row[2], row[3]) for row in rows]
