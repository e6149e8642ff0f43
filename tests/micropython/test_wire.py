"""The codecs give the same output under CPython and MicroPython."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MICROPYTHON = Path(sys.executable).with_name("micropython")
WIRED_FRAMES = ROOT / "tests" / "shared" / "wire" / "wired_frames.txt"


def output(interpreter: list[str], script: str, *arguments: str) -> str:
    """What ``script`` prints."""
    environment = {**os.environ, "MICROPYPATH": str(ROOT), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*interpreter, str(HERE / script), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr), done.stdout[-2000:]
    return done.stdout


def test_unit_seals_alike_in_its_small_memory() -> None:
    """In 64 kB a unit seals the very bytes that a host seals, and obeys the same commands."""
    expected = output([sys.executable], "wire_unit.py")
    assert 32 == expected.count("\n")
    assert expected == output([str(MICROPYTHON), "-X", "heapsize=64k"], "wire_unit.py")


def test_reader_reads_alike() -> None:
    """Published, real and spoilt frames read the same, errors and their words included."""
    expected = output([sys.executable], "wire_reader.py", str(WIRED_FRAMES))
    assert expected.count("\n") > 1000
    micropython = [str(MICROPYTHON), "-X", "heapsize=1m"]
    assert expected == output(micropython, "wire_reader.py", str(WIRED_FRAMES))


def test_wired_slave_replies_alike_in_its_small_memory() -> None:
    """In 64 kB a slave says the very bytes that it says on a host, to good and spoilt requests."""
    expected = output([sys.executable], "wired_slave.py")
    assert 6 * 24 * 2 + 1 == expected.count("\n")
    assert expected == output([str(MICROPYTHON), "-X", "heapsize=64k"], "wired_slave.py")
