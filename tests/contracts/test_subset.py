from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.source import ROOT, Source, demand_none, listed, sources
from tests.contracts.subset import is_firmware, outside_the_subset

MICROPYTHON = Path(sys.executable).with_name("micropython")
FIRMWARE = tuple(source for source in sources("shared", "pulse_unit") if is_firmware(source))

# What this interpreter really refuses.
REFUSED = [
    "import dataclasses",
    "from __future__ import annotations",
    "from typing import Final",
    "import enum",
    "import functools",
    "import datetime",
    "import abc",
    "import time\ntime.monotonic()",
    "from time import monotonic",
    "import os\nos.replace('a', 'b')",
    "from collections import defaultdict",
    "match 1:\n    case 1: pass",
    "def f(a, /): pass",
    "try:\n    pass\nexcept* ValueError: pass",
    "class E(ValueError, KeyError): pass",
    "class A(metaclass=type): pass",
    "a = [*(1, 2), 3]",
    "a = {**{1: 2}}",
    "a = (*(1, 2), 3)",
    "int.from_bytes(b'12', byteorder='big')",
    "(5).to_bytes(2, 'big', True)",
    "sum((1,), start=1)",
    "list(zip((1,), (2,), strict=True))",
    "int('a', base=16)",
    "b'12'.decode(encoding='ascii')",
    "'a b'.split(' ', maxsplit=1)",
    "b'1234'[::-1]",
    "'1'.zfill(3)",
    "(5).bit_length()",
    "isinstance(1, int | str)",
    "class E(ValueError):\n    def __init__(self): ValueError.__init__(self, 'm')\nE()",
    "FileNotFoundError",
    "format(3, 'x')",
]
# What it would run, and a board or an older release would not, or not exactly.
UNWISE = [
    "a = 0.5",
    "a = 1 / 2",
    "a = 4\na /= 2",
    "a = float('1')",
    "import math",
    "a = 1j",
    "(5).to_bytes(2, byteorder='big')",
    "(5).to_bytes()",
    "a = 1\nprint(f'{a=}')",
    "a = 1\nprint(f'{a = !r:>3}')",
]
ALLOWED = [
    "a = 7 // 2",
    "a, *b = 1, 2, 3",
    "print(*(1, 2), *(3, 4))",
    "def f(a: 'Frame', *, b: int | None = None) -> list[int]: return [a]",
    "class E(ValueError):\n    def __init__(self):\n        super().__init__('m')\nE()",
    "a = 1\nprint(f'a={a!r} {a:08X} {a == 1} {a >= 1}')",
    "a = (5).to_bytes(2, 'little')",
    "from micropython import const\nA = const(3)",
    "import struct\nstruct.unpack_from('<I', b'1234', 0)",
    "b'1234'[1:3]",
]


def run(text: str) -> subprocess.CompletedProcess[str]:
    """Run a text on the firmware's interpreter."""
    return subprocess.run(
        [MICROPYTHON, "-c", text], capture_output=True, text=True, timeout=20, check=False
    )


def test_firmware_keeps_to_the_subset() -> None:
    """No firmware file uses what a MicroPython board lacks."""
    demand_none(outside_the_subset, FIRMWARE)


def test_firmware_is_found() -> None:
    """The firmware's own files are looked at, and those for a PC are not."""
    folders = {source.path.rpartition("/")[0] for source in FIRMWARE}
    assert {"shared/wire", "shared/crypto", "pulse_unit", "pulse_unit/hal"} <= folders
    assert not {"pulse_unit/cli/main.py", "pulse_unit/hal/linux.py"} & {s.path for s in FIRMWARE}


def test_firmware_compiles_on_micropython() -> None:
    """The firmware's interpreter accepts the syntax of every firmware file."""
    program = "".join(
        f"with open({(ROOT / source.path).as_posix()!r}) as f:\n"
        f"    compile(f.read(), {source.path!r}, 'exec')\n"
        for source in FIRMWARE
    )
    completed = run(program)
    assert (0, "") == (completed.returncode, completed.stderr)


@pytest.mark.parametrize("text", REFUSED + UNWISE)
def test_constructs_outside_the_subset_are_caught(text: str) -> None:
    """Each construct outside the subset is caught in firmware, and let pass in a PC's file."""
    assert [] != listed(outside_the_subset(Source("pulse_unit/unit.py", text)))
    assert [] == listed(outside_the_subset(Source("pulse_unit/cli/main.py", text)))


@pytest.mark.parametrize("text", REFUSED)
def test_interpreter_agrees(text: str) -> None:
    """What is refused as unknown really fails on MicroPython."""
    assert 0 != run(text).returncode


@pytest.mark.parametrize("text", ALLOWED)
def test_subset_is_no_narrower_than_needed(text: str) -> None:
    """What the interpreter runs and a board can do is not caught."""
    assert [] == listed(outside_the_subset(Source("shared/wire/crc.py", text)))
    assert 0 == run(text).returncode


def test_inits_stay_empty() -> None:
    """Even a docstring in a firmware package's `__init__` is caught."""
    assert 1 == len(listed(outside_the_subset(Source("shared/wire/__init__.py", '"""Wire."""'))))
    assert [] == listed(outside_the_subset(Source("shared/wire/__init__.py", "")))
