"""A board without Bumble serves the same values."""

import sys

from tests.micropython.test_wire import MICROPYTHON, output

HEAP = "512k"  # holds the code too, the memory, and both sides of the log


def test_the_service_answers_alike() -> None:
    """Values, refusals, results and every piece of the log, byte by byte."""
    expected = output([sys.executable], "gatt_reading.py")
    assert 40 < expected.count("\n")
    assert "(1, 540000, 100)" in expected
    assert expected == output([str(MICROPYTHON), "-X", f"heapsize={HEAP}"], "gatt_reading.py")
