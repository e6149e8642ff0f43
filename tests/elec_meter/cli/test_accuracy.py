from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from elec_meter import typetest
from elec_meter.cli.main import main
from elec_meter.metrology import Flags
from elec_meter.typetest import ROWS, SHORT, RowResult, type_test
from tests.elec_meter.cli.commands import elec_meter

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def measured() -> list[RowResult]:
    """The short form, once."""
    return list(type_test(SHORT))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, measured: list[RowResult]) -> None:
    """The commands run the short form."""

    def shortened(rows: Any = ROWS) -> Iterator[RowResult]:
        return iter(measured) if rows is ROWS else type_test(SHORT, rows=rows)

    monkeypatch.setattr(typetest, "type_test", shortened, raising=False)


def run(*words: object) -> Result:
    """Run `elec-meter` in this process."""
    return CliRunner().invoke(main, [str(word) for word in words])


def test_json() -> None:
    """Every row at every rate and width, with the loads, our limit and what classes allow."""
    done = run("accuracy", "--json")
    assert (0, "") == (done.exit_code, done.stderr)
    told = json.loads(done.stdout)
    assert told["passed"] is True
    assert 4 * len(ROWS) == len(told["rows"])
    unity = next(each for each in told["rows"] if each["test"] == "0.1-100 A, PF 1")
    assert (4000, 16, 0.05, True) == (
        unity["rate_hz"],
        unity["bits"],
        unity["limit"],
        unity["passed"],
    )
    assert (0.5, 0.2, None) == tuple(unity["class_limits"][name] for name in ("C", "0.2S", "var 2"))
    assert abs(unity["worst"]) == max(abs(point["value"]) for point in unity["points"])
    assert [0.1, 100] == [unity["points"][k]["current_a"] for k in (0, -1)]
    assert dict.fromkeys(("0.2S", "0.5S"), "starting current") == told["not_claimed"]
    half_wave = next(each for each in told["rows"] if each["test"] == "half-wave")
    assert [[], ["DC"]] == [point["flags"] for point in half_wave["points"]]


def test_table() -> None:
    """The table has a line for each row, whole however narrow the terminal is."""
    printed = run("accuracy").stdout
    for row in ROWS:
        assert 1 == sum(line.startswith(f" {row.name}  ") for line in printed.splitlines())
    assert "…" not in printed
    lines = printed.splitlines()
    assert 4 == next(line for line in lines if line.startswith(" half-wave ")).count(" DC ")
    assert "0.2S*" in printed
    assert "not claimed: starting current" in printed


@pytest.mark.parametrize("words", [("accuracy",), ("plot", "accuracy")], ids=" ".join)
def test_pictures(words: tuple[str, ...], tmp_path: Path) -> None:
    """Both formats are drawn, and the same curve is the same SVG."""
    for name in ("curve.png", "curve.svg", "again.SVG"):
        done = run(*words, "-o", tmp_path / name)
        assert (0, "") == (done.exit_code, done.stderr)
    assert (tmp_path / "curve.png").read_bytes().startswith(PNG)
    drawn = (tmp_path / "curve.svg").read_text()
    assert "<svg" in drawn
    assert drawn == (tmp_path / "again.SVG").read_text()


def test_a_row_that_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 and a sentence that names the row, after all that was measured."""
    monkeypatch.setattr(RowResult, "limit", property(lambda result: 1e-9))
    done = run("accuracy", "--json")
    assert 1 == done.exit_code
    assert "0.02-0.1 A, PF 1 at 4000 Hz and 16 bits" in done.stderr
    assert json.loads(done.stdout)["passed"] is False


def test_a_flag_that_should_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 and a sentence that names the flag, however small the error is."""
    half_wave = next(row for row in ROWS if row.kind == "half-wave")
    unflagged = replace(
        half_wave, points=tuple(replace(each, flags=Flags(0)) for each in half_wave.points)
    )
    results = list(type_test(SHORT, rows=(unflagged,)))
    monkeypatch.setattr(typetest, "type_test", lambda: iter(results))
    done = run("accuracy", "--json")
    assert 1 == done.exit_code
    assert "half-wave at 4000 Hz and 16 bits: flagged DC, not nothing" in done.stderr
    assert [False] * 4 == [row["passed"] for row in json.loads(done.stdout)["rows"]]


@pytest.mark.parametrize("name", ["curve.gif", "curve", "missing/curve.png"])
def test_a_picture_that_cannot_be(name: str, tmp_path: Path) -> None:
    """Another format, or a directory that is not there, is refused before anything is measured."""
    done = run("accuracy", "-o", tmp_path / name)
    assert (1, "") == (done.exit_code, done.stdout)
    assert name.split("/", maxsplit=1)[0] in done.stderr


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A plain installation says what pictures need."""
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    done = run("plot", "accuracy", "-o", tmp_path / "curve.png")
    assert (1, "") == (done.exit_code, done.stdout)
    assert "install -e '.[plot]'" in done.stderr


@pytest.mark.slow
def test_the_long_form() -> None:
    """The whole type test passes, as a user runs it."""
    done = elec_meter("accuracy", "--json")
    assert (0, "") == (done.returncode, done.stderr)
    rows = json.loads(done.stdout)["rows"]
    waited_s = {row["points"][0]["seconds"] for row in rows if row["test"].startswith("no load")}
    assert {2348} == waited_s
