from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import tty
from pathlib import Path
from typing import IO

from tests.collector.bench import BEGIN_MS, LABEL, MPRN, house_call, recorded
from tests.collector.frames import SERIAL

ROOT = Path(__file__).parents[2]
METER = ["--mprn", MPRN, "--meter-serial", "G4", "--weight", "0.01 m3", "--dial", "1234.567"]


def told(lines: IO[str], event: str) -> dict:
    """The next line of a kind."""
    while True:
        row = json.loads(lines.readline())
        if row["event"] == event:
            return row


def test_a_stick_on_a_serial_port(tmp_path: Path) -> None:
    """What a stick prints is collected; unplugged, that is told, and SIGTERM ends it with 0."""
    call, label, home = tmp_path / "call.txt", tmp_path / "unit.label", tmp_path / "home"
    bench = recorded(call, house_call)
    label.write_text(LABEL.qr_text)
    collector = [sys.executable, "-m", "collector"]
    words = ["pair", "--data", home, "--replay", call, "--label", label, *METER, "--yes", "--json"]
    subprocess.run([*collector, *map(str, words)], cwd=ROOT, check=True, capture_output=True)

    ours, theirs = pty.openpty()
    tty.setraw(ours)
    words = ["run", "--data", home, "--stick", f"hex:{os.ttyname(theirs)}", "--json"]
    with subprocess.Popen(
        [*collector, *map(str, words)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert "stick 1 works" == told(process.stdout, "BearerWorks")["text"]
            bench.turn(4)
            for _, frame in bench.unit.advance(BEGIN_MS + 3_600_000):
                os.write(ours, frame.hex().encode() + b"\n")
            while told(process.stdout, "TelegramReceived")["count"] < 12:
                pass
            os.close(ours)
            os.close(theirs)
            assert "stick 1 has lost" in told(process.stdout, "BearerLost")["text"]
            process.send_signal(signal.SIGTERM)
            assert 0 == process.wait(60)
        finally:
            process.kill()
    units = subprocess.run(
        [*collector, "units", "--data", str(home), "--json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    assert [(SERIAL, 7)] == [(row["serial"], row["pulses"]) for row in json.loads(units.stdout)]
