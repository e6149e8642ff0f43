from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pulse_unit.cli.constants import fold_constants
from pulse_unit.cli.firmware import NoCompiler, compiled, program
from pulse_unit.cli.main import main
from pulse_unit.cli.program import NoProgram, joined, modules_of, used
from pulse_unit.cli.romfs import romfs_image

MICROPYTHON = Path(sys.executable).with_name("micropython")
UNIT = modules_of(["pulse_unit.unit"])


def folded(**texts: str) -> dict[str, str]:
    """The files of a program, without the blank ends of lines."""
    return {name: text.strip() for name, text in fold_constants(texts).items()}


def values(text: str) -> dict[str, Any]:
    """What the names of a module stand for once it has run."""
    names: dict[str, Any] = {}
    exec(text, names)
    return names


def test_a_constant_becomes_its_number_in_every_module() -> None:
    """Also where another module imports it and where it is made of others."""
    texts = {
        "a": "ONE = 1\n_TWO = ONE + ONE\n",
        "b": "from a import ONE, other\nFOUR = (ONE << 2) - 0\nprint(FOUR, -ONE)\n",
    }
    assert {"a": "", "b": "from a import other\n\nprint(4, -1)"} == folded(**texts)


@pytest.mark.parametrize(
    "text",
    [
        "A = 1\nA = 2\nprint(A)",
        "A = b'1'\nprint(A)",
        "A = True\nprint(A)",
        "A = len('1')\nprint(A)",
        "A = 1\nprint(f'{A}')",
        "A = B = 1\nprint(A)",
        "small = 1\nprint(small)",
    ],
)
def test_what_is_no_constant_stays(text: str) -> None:
    """A name that may change, that is no whole number or that stands in an f-string."""
    assert {"a": text} == folded(a=text)


def test_a_folded_module_does_the_same() -> None:
    """Every other name of the real firmware's modules survives, and no constant is left."""
    for name, text in fold_constants(UNIT).items():
        before, after = ast.parse(UNIT[name]).body, ast.parse(text).body
        kept = [node.name for node in before if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
        assert kept == [
            node.name for node in after if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        ]
        for node in after:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                assert not isinstance(node.value, ast.Constant) or type(node.value.value) is not int


def test_modules_come_after_those_that_they_import() -> None:
    """So that one file of them runs from top to bottom; what only a PC has is left out."""
    seen: set[str] = set()
    for name, text in UNIT.items():
        for node in ast.parse(text).body:
            if isinstance(node, ast.ImportFrom) and node.module in UNIT:
                assert node.module in seen
        seen.add(name)
    assert "pulse_unit.board" in seen
    assert not {name for name in seen if ".cli" in name or "cryptography" in name}


def test_private_names_are_told_apart() -> None:
    """Each function keeps calling its own."""
    text = joined(
        {
            "p.one": "def _f():\n    return 1\n\ndef one():\n    return _f()\n",
            "p.two": "from p.one import one\n_f = one() + 1\ndef two():\n    return _f\n",
        }
    )
    names = values(text)
    assert (1, 2) == (names["one"](), names["two"]())


def test_what_nobody_uses_is_left_out() -> None:
    """Also what only something unused needs; everything that runs and the entry's names stay."""
    text = used(
        "A = [1]\nB = A\ndef f(): return g()\ndef g(): return B\n"
        "class C:\n    x = D\nclass D: pass\ndef main(): pass\nprint(D)\n",
        "def main(): pass\n",
    )
    assert ["class D: pass", "def main(): pass", "print(D)"] == text.split("\n")[-4:-1]
    assert "" == text.split("class D")[0].strip()
    assert ["A = [1]", "B = A", "def f(): return g()", "def g(): return B"] == (
        used("A = [1]\nB = A\ndef f(): return g()\ndef g(): return B\n", "def f(): pass")
    ).splitlines()


def test_a_program_is_no_larger_than_its_use() -> None:
    """A unit takes apart no telegram: the reader's side of the wire is not in its program."""
    text = program(UNIT)
    assert "def encode_records" in text
    assert "def decode_records" not in text
    assert "def decode_records" in "".join(UNIT.values())


def test_imports_within_a_function_are_of_the_same_file() -> None:
    """And what a type checker alone reads is gone."""
    text = joined(
        {
            "a": "def a():\n    return 5\n",
            "b": "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from a import a\n"
            "def b():\n    from a import a\n    return a()\n",
        }
    )
    assert 5 == values(text)["b"]()
    assert "TYPE_CHECKING" not in text


@pytest.mark.parametrize(
    "texts",
    [
        {"a": "def f(): pass", "b": "def f(): pass"},
        {"a": "def f(): pass", "b": "from a import f as g"},
        {"p.a": "x = 1", "b": "from p import a"},
        {"a": "_x = 1", "b": "_x = 2\nprint(f'{_x}')"},
    ],
)
def test_what_cannot_be_one_file_is_refused(texts: dict[str, str]) -> None:
    """Rather than built into something else."""
    with pytest.raises(NoProgram):
        joined({**texts, "p": ""} if "p.a" in texts else texts)


def test_an_unknown_entry_is_refused() -> None:
    """With its name."""
    with pytest.raises(NoProgram, match=r"pulse_unit\.nowhere"):
        modules_of(["pulse_unit.nowhere"])


def test_what_micropython_does_not_know_is_refused() -> None:
    """By its own compiler, in its own words."""
    with pytest.raises(NoCompiler, match="SyntaxError"):
        compiled("match 1:\n    case 1: pass\n", "bad")


def test_the_whole_unit_is_one_file_that_runs(tmp_path: Path) -> None:
    """Its bytecode, in an image, does what its modules do."""
    ends = "\ndef main():\n    print(interval_ms(900000, 77), UnitConfig().volume_l(3))\n"
    files = {"a/unit.mpy": compiled(program(UNIT) + ends, "unit"), "b.txt": b"x" * 300, "c": b""}
    (tmp_path / "image").write_bytes(romfs_image(files))
    script = (
        "import os, sys, vfs\n"
        f"vfs.mount(vfs.VfsRom(open({str(tmp_path / 'image')!r}, 'rb').read()), '/rom')\n"
        "print(sorted(os.listdir('/rom')), len(open('/rom/b.txt').read()), open('/rom/c').read())\n"
        "sys.path.append('/rom/a')\nimport unit\nunit.main()\n"
    )
    done = subprocess.run([MICROPYTHON, "-c", script], capture_output=True, text=True, check=False)
    assert ("", 0) == (done.stderr, done.returncode)
    assert ["['a', 'b.txt', 'c'] 300 ", "894287 None"] == done.stdout.splitlines()


def test_a_firmware_is_told_to_programs_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file, its length, and that of each module."""

    def build(board: str, folder: Path) -> dict[str, int]:
        (folder / "firmware.mpy").write_bytes(bytes(30))
        return {"a": 20, "b": 15}

    monkeypatch.setattr("pulse_unit.cli.firmware.build", build)
    result = CliRunner().invoke(main, ["firmware", "esp32", "-o", str(tmp_path), "--json"])
    told = json.loads(result.stdout)
    assert {"board": "esp32", "file": str(tmp_path / "firmware.mpy"), "bytes": 30} | {
        "modules": {"a": 20, "b": 15}
    } == told


def test_a_folder_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence that names it."""

    def build(board: str, folder: Path) -> dict[str, int]:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("pulse_unit.cli.firmware.build", build)
    result = CliRunner().invoke(main, ["firmware", "esp32", "-o", str(tmp_path)])
    assert 1 == result.exit_code
    assert f"Error: {tmp_path} cannot be written: Permission denied.\n" == result.stderr
