from __future__ import annotations

import re
from pathlib import Path

import pytest

from elec_meter.demo.credentials import DLMS_KEYS, DLMS_PASSWORD
from elec_meter.dlms.blocks import RECEIVED_MAX
from elec_meter.dlms.services import LIST_MAX
from elec_meter.dlms.wrapper import PAYLOAD_MAX
from elec_meter.dlms_service import system_title
from tests.elec_meter.dlms.asking import lived_in, port_of
from tests.elec_meter.flag.lines import busy_meter
from tests.elec_meter.ports.serving import serving

DOCUMENT = (Path(__file__).parents[3] / "docs" / "dlms.md").read_text("utf-8")


def fenced(language: str) -> str:
    """The document's block in this language."""
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_transcript_is_what_the_meter_says() -> None:
    """Fed with the client's bytes, the meter sends those of the document."""
    meter = busy_meter()
    session = port_of(meter).session(meter.now)
    lines = [
        (line[:8].strip(), bytes.fromhex(line[8:])) for line in fenced("transcript").splitlines()
    ]
    for (client, asked), (server, said) in zip(lines[::2], lines[1::2], strict=True):
        assert ("client", "meter") == (client, server)
        assert said == session.receive_data(asked, meter.now)


def test_the_example_reads_half_hours(capsys: pytest.CaptureFixture[str]) -> None:
    """As a reader would type it, but for the port."""
    with serving(port_of(lived_in(3)).session) as (host, port):
        code = fenced("python").replace('"127.0.0.1"', repr(host)).replace("4059", str(port))
        exec(compile(code, "dlms.md", "exec"), {})
    rows = capsys.readouterr().out.splitlines()

    assert [", 0, 10, ", ", 0, 11, ", ", 0, 12, "] == [
        found[0] for found in (re.search(r", 0, 1\d, ", row) for row in rows) if found
    ]


def test_the_credentials_are_the_demos() -> None:
    """In the document as in the code."""
    for each in (*DLMS_KEYS, system_title("HHY", "00000001")):
        assert each.hex().upper() in DOCUMENT
    assert f"`{DLMS_PASSWORD.decode()}`" in DOCUMENT


def test_the_limits_are_the_codes() -> None:
    """Of an APDU, of what comes in blocks, and of a list."""
    assert f"{PAYLOAD_MAX} bytes" in DOCUMENT
    assert f"blocks, up to {RECEIVED_MAX:,} bytes" in " ".join(DOCUMENT.split())
    assert f"up to {LIST_MAX} attributes or methods" in DOCUMENT
