from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from shared.exact_json import exact_json


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_json_is_exact(indent: int | None) -> None:
    """Numbers keep their digits, however many; text and nothing are as ever."""
    value = {"a": [Decimal("28504.2700"), 10**30, Decimal("1E-7"), None, "é\n"], "b": [], "c": {}}
    text = exact_json(value, indent=indent)
    assert value == json.loads(text, parse_float=Decimal)
    assert "28504.2700" in text
    assert "0.0000001" in text


@pytest.mark.parametrize("indent", [None, 1, 2])
def test_json_is_laid_out_as_by_the_standard_library(indent: int | None) -> None:
    """One line, or a line for each item: what Python's own module writes where it can."""
    value = {"a": [1, True, {"b": None}, [], {}], "c": (2.5, "x"), "": {"d": [-1]}}
    assert json.dumps(value, indent=indent) == exact_json(value, indent=indent)


def test_days_and_instants_are_text() -> None:
    """ISO 8601: UTC ends with Z, another zone with its offset, none with nothing."""
    instant = datetime(2025, 10, 26, 1)  # noqa: DTZ001 - as a telegram may say it
    summer = timezone(timedelta(hours=1))
    value = [
        date(2025, 10, 26),
        instant.replace(tzinfo=UTC),
        instant.replace(tzinfo=summer),
        instant,
    ]
    assert (
        '["2025-10-26", "2025-10-26T01:00:00Z", "2025-10-26T01:00:00+01:00", "2025-10-26T01:00:00"]'
        == exact_json(value)
    )


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("Infinity"), float("nan"), Fraction(1, 3), {1: 2}, b"x", {1}]
)
def test_what_json_has_not_is_refused(value: Any) -> None:
    """Nothing is written that a reader could not read, or would read as something else."""
    with pytest.raises((TypeError, ValueError)):
        exact_json([value])
