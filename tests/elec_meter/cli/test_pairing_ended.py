"""A pairing whose command is ended is given up at the meter, however the command was ended."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Final

import pexpect
import pytest

from elec_meter.demo.spare import LABEL

ROOT: Final = Path(__file__).parents[3]
COMMAND: Final = """
import sys
from pathlib import Path
from elec_meter.cli import pairing
from elec_meter.cli.main import main
from elec_meter.errors import PairingRefusedError

asked = Path(sys.argv.pop(1))

def order(data_dir, request):
    begun = asked.read_text()
    with asked.open("a") as file:
        file.write(request.step["request"] + "\\n")
    if not begun:
        raise PairingRefusedError("no pairing is under way")
    return {
        "serial": "00000002", "channel": "gas", "state": "meter", "rssi_dbm": -60, "left_s": None,
        "pairing": "1", "of_unit": 1, "frames": 1, "advice": [],
    }

pairing.order = order
main()
"""


@pytest.mark.parametrize("ended", ["closed", "told"])
def test_what_ends_the_command_gives_the_pairing_up(tmp_path: Path, ended: str) -> None:
    """A terminal that is closed and SIGTERM do what Ctrl-C does."""
    asked, label = tmp_path / "asked", tmp_path / "unit.label"
    asked.touch()
    label.write_text(LABEL.printed_text)
    words = ["-c", COMMAND, str(asked), "control", "pair", "--data", "home", "--label", str(label)]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    child = pexpect.spawn(
        sys.executable, words, cwd=ROOT, env=environment, encoding="utf-8", timeout=60
    )
    child.expect_exact("MPRN (on the gas bill)")
    if ended == "closed":
        child.ptyproc.fileobj.close()
    else:
        child.kill(signal.SIGTERM)
        child.expect(pexpect.EOF)
    assert 1 == child.ptyproc.wait()
    steps = asked.read_text().splitlines()
    assert ["pair.begin", "pair.cancel"] == [each for each in steps if each != "pair.status"]
