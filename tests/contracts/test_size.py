from __future__ import annotations

from tests.contracts import size
from tests.contracts.source import PACKAGES, Source, demand_none, listed, sources

EVERY = sources(*PACKAGES, "tests", "benchmarks", "fuzz")


def function(lines: int, name: str = "f") -> str:
    """The text of a function of so many lines."""
    return f"def {name}():\n" + "    pass\n" * (lines - 1)


def test_nothing_is_too_long() -> None:
    """Functions have up to 60 lines and modules up to 400, tests included."""
    demand_none(size.too_long, EVERY)


def test_exemptions_are_needed_and_reasoned() -> None:
    """The list of exemptions holds nothing that could go."""
    assert [] == list(size.unused_exemptions(EVERY))


def test_long_functions_are_caught() -> None:
    """The 61st line of a function, method or coroutine is one too many, decorators counted."""
    assert [] == listed(size.too_long(Source("a.py", function(60))))
    for text in (
        function(61),
        "async " + function(61),
        "@cache\n" + function(60),
        "class A:\n    def f(self):\n" + "        pass\n" * 60,
    ):
        assert 1 == len(listed(size.too_long(Source("a.py", text))))


def test_long_modules_are_caught() -> None:
    """The 401st line of a module is one too many."""
    assert [] == listed(size.too_long(Source("a.py", "a = 1\n" * 400)))
    assert ["a.py:1: 401 lines, 400 are allowed"] == listed(
        size.too_long(Source("a.py", "a = 1\n" * 401))
    )


def test_exemption_lets_one_pass_and_expires() -> None:
    """An exemption covers what it names, wants a reason, and must go when it is not needed."""
    long_, short = Source("a.py", function(61)), Source("a.py", function(6))
    exempt = {"a.py::f": "one table of a standard"}
    assert [] == listed(size.too_long(long_, exempt))
    assert [] == list(size.unused_exemptions((long_,), exempt))
    assert ["a.py::f: not needed any more"] == list(size.unused_exemptions((short,), exempt))
    assert ["a.py::f: no reason given"] == list(size.unused_exemptions((long_,), {"a.py::f": ""}))
