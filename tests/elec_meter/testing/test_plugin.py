"""The plug-in in somebody else's project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from elec_meter.testing import SettlementDay
from tests.elec_meter.testing.projects import PLUGIN, announce, blocks, outcomes, run_pytest

FAILING = """
import time


def test_that_is_wrong(settlement_day):
    day = settlement_day("2012-10-28")
    day.run(through_period=3)
    day.assert_rows(import_wh={3: 7})


def test_that_comes_later():
    assert time.time() > 1_700_000_000
    assert time.time.__module__ == "time"


def test_of_a_period_that_is_not_there(settlement_day):
    settlement_day("2025-03-30").draw({47: 1})
"""

MISSING = """
import sys

import pytest


@pytest.fixture(autouse=True)
def _no_freezegun(monkeypatch):
    monkeypatch.setitem(sys.modules, "freezegun", None)


def test_that_freezes(settlement_day):
    settlement_day("2025-06-21")
"""

SHORT = """
import pytest


@pytest.mark.parametrize("date", ["2025-03-30", "2025-10-26"])
def test_the_first_half_hour(settlement_day, date):
    day = settlement_day(date)
    day.power_w(1_000)
    day.run(through_period=1)
    day.assert_rows(import_wh=500)
"""

IDLE = """
import sys


def test_that_freezes_nothing():
    ours = {name for name in sys.modules if name.split(".")[0] in ("elec_meter", "collector")}
    assert ours == {"elec_meter", "elec_meter.testing", "elec_meter.testing.plugin"}
    assert not sys.modules.keys() & {"cryptography", "freezegun", "msgspec", "numba", "numpy"}
"""


def test_a_first_test_runs_where_nothing_else_is(tmp_path: Path) -> None:
    """What a stranger copies into an empty folder passes on days of 46, 48 and 50 periods."""
    (tmp_path / "test_half_hours.py").write_text(blocks("python")[0])
    completed = run_pytest(tmp_path, "-v")
    assert {"passed": 3} == outcomes(completed), completed.stdout
    for case in ("[2025-03-30-46]", "[2025-06-21-48]", "[2025-10-26-50]"):
        assert f"{case} PASSED" in completed.stdout


def test_every_further_example_runs(tmp_path: Path) -> None:
    """All others of the page together, one after the other in one process."""
    examples = blocks("python")[1:]
    for number, example in enumerate(examples):
        (tmp_path / f"test_example_{number}.py").write_text(example)
    completed = run_pytest(tmp_path)
    tests = sum(len(re.findall(r"^def test_", example, re.MULTILINE)) for example in examples)
    assert 6 <= len(examples)
    assert {"passed": tests} == outcomes(completed), completed.stdout


@pytest.mark.slow
def test_days_pass_in_several_processes(tmp_path: Path) -> None:
    """Under xdist every worker has a freeze of its own."""
    (tmp_path / "test_half_hours.py").write_text(SHORT)
    completed = run_pytest(tmp_path, "-n", "2", PYTEST_DISABLE_PLUGIN_AUTOLOAD="")
    assert {"passed": 2} == outcomes(completed), completed.stdout


def test_the_failure_on_the_page_is_the_real_one() -> None:
    """What the page shows of a failing comparison is what it says."""
    with SettlementDay("2012-10-28") as day:
        day.draw({3: 300})
        day.run(through_period=6)
        with pytest.raises(AssertionError) as failure:
            day.assert_rows(import_wh={3: 301, 7: 0})
    assert [f"{failure.value}\n"] == blocks("text")


def test_a_failure_is_readable_and_thaws_time(tmp_path: Path) -> None:
    """The report is the comparison and nothing of ours; the next test has real time again."""
    (tmp_path / "test_wrong.py").write_text(FAILING)
    completed = run_pytest(tmp_path)
    assert {"failed": 2, "passed": 1} == outcomes(completed), completed.stdout
    assert "AssertionError: 2012-10-28, 50 periods: 1 value differs" in completed.stdout
    line = "period 3, 01:00 BST (00:00 UTC): import_wh expected 7, actual 0"
    assert line in completed.stdout
    assert "raise AssertionError" not in completed.stdout
    assert "2025-03-30 has settlement periods 1 to 46, not 47" in completed.stdout


def test_a_missing_freezegun_is_one_sentence(tmp_path: Path) -> None:
    """Whoever installed the package without its extra is told what to install."""
    (tmp_path / "test_freezing.py").write_text(MISSING)
    completed = run_pytest(tmp_path, "-rN")
    assert {"failed": 1} == outcomes(completed), completed.stdout
    report = completed.stdout.partition("FAILURES")[2].splitlines()[1:-1]
    assert "time cannot be frozen without freezegun: install the extra testing" == report[1]
    assert 2 == len(report)


def test_a_project_that_does_not_use_it_loads_no_meter(tmp_path: Path) -> None:
    """Neither numbers, keys, databases nor freezegun are loaded with the plug-in."""
    (tmp_path / "test_other.py").write_text(IDLE)
    completed = run_pytest(tmp_path)
    assert {"passed": 1} == outcomes(completed), completed.stdout


def test_pytest_measures_in_real_time(tmp_path: Path) -> None:
    """A test that freezes decades away from now is not reported to have taken them."""
    (tmp_path / "test_half_hours.py").write_text(SHORT)
    completed = run_pytest(tmp_path, "--durations=0", "-vv")
    seconds = re.findall(r"^(-?[\d.]+)s call ", completed.stdout, re.MULTILINE)
    assert 2 == len(seconds), completed.stdout
    assert all(0 <= float(each) < 86_400 for each in seconds)


def test_an_installed_product_registers_it(tmp_path: Path) -> None:
    """No option is needed then; naming it changes nothing, and it can be left out."""
    announce(tmp_path)
    (tmp_path / "test_half_hours.py").write_text(SHORT.replace(', "2025-10-26"', ""))
    for named in ((), PLUGIN):
        completed = run_pytest(tmp_path, plugin=named, PYTEST_DISABLE_PLUGIN_AUTOLOAD="")
        assert {"passed": 1} == outcomes(completed), completed.stdout
    completed = run_pytest(
        tmp_path, plugin=("-p", "no:elec_meter.testing"), PYTEST_DISABLE_PLUGIN_AUTOLOAD=""
    )
    assert {"error": 1} == outcomes(completed), completed.stdout
    assert "fixture 'settlement_day' not found" in completed.stdout
