from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ObisError
from shared.obis import Obis

# The letters and the omitted parts are what matters, so those are drawn often.
codes = st.builds(
    Obis,
    a=st.sampled_from([0, 1, 7]) | st.integers(0, 255),
    b=st.sampled_from([0, 1]) | st.integers(0, 255),
    c=st.sampled_from([1, 96, 97, 98, 99]) | st.integers(0, 255),
    d=st.sampled_from([8, 97]) | st.integers(0, 255),
    e=st.sampled_from([0, 1]) | st.integers(0, 255),
    f=st.sampled_from([255, 0, 1]) | st.integers(0, 255),
)


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("1-0:1.8.0", (1, 0, 1, 8, 0, 255)),
        ("1-0:1.8.0*255", (1, 0, 1, 8, 0, 255)),
        ("1-0:1.8.1*01", (1, 0, 1, 8, 1, 1)),
        ("1.0.1.8.0.255", (1, 0, 1, 8, 0, 255)),
        ("0-1:24.2.1", (0, 1, 24, 2, 1, 255)),
        ("1.8.0", (1, 0, 1, 8, 0, 255)),
        ("1.8", (1, 0, 1, 8, 0, 255)),
        ("C.1.0", (0, 0, 96, 1, 0, 255)),
        ("F.F", (0, 0, 97, 97, 0, 255)),
        ("P.01", (1, 0, 99, 1, 0, 255)),
        ("1-0:P.1", (1, 0, 99, 1, 0, 255)),
        ("96.1.0", (0, 0, 96, 1, 0, 255)),
    ],
)
def test_reads_every_written_form(text: str, groups: tuple[int, ...]) -> None:
    """Full, dotted and reduced forms give their six groups."""
    assert Obis(*groups) == Obis.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1-0:1", "1-0:1.8.0.0", "1-0:1.8.256", "1.0.1.8.0", "1.0.1.8.0.256", "1:1.8.0"),
        *("X.1.0", "-1-0:1.8.0", "1-0:1.8.0*", "1-0:1.8.0*999", "1-0:1.8.0 ", "1-0:1.8.0\n"),
        "٣.8.0",
    ],
)
def test_refuses_what_is_no_code(text: str) -> None:
    """Missing or extra groups, other characters and values above 255 are a typed refusal."""
    with pytest.raises(ObisError):
        Obis.parse(text)


@pytest.mark.parametrize(
    ("code", "reduced"),
    [
        ("1-0:1.8.0", "1.8.0"),
        ("1-0:2.8.12", "2.8.12"),
        ("1-0:1.8.0*3", "1.8.0*3"),
        ("0-0:96.1.0", "C.1.0"),
        ("0-0:97.97.0", "F.F"),
        ("1-0:99.1.0", "P.1.0"),
        ("0-1:24.2.1", "0-1:24.2.1"),
        ("0-0:1.0.0", "0-0:1.0.0"),
        ("1-0:96.1.0", "1-0:96.1.0"),
    ],
)
def test_reduces_to_the_shortest_unambiguous_code(code: str, reduced: str) -> None:
    """A code is shortened as FLAG meters do, unless another object would be meant by it."""
    assert reduced == Obis.parse(code).reduced


@given(code=codes)
def test_every_written_form_leads_back(code: Obis) -> None:
    """Text, reduced text and logical name all give the code they came from."""
    assert code == Obis.parse(str(code))
    assert code == Obis.parse(code.reduced)
    assert code == Obis.from_bytes(code.to_bytes())


@given(first=codes, second=codes)
def test_order_is_that_of_the_groups(first: Obis, second: Obis) -> None:
    """Codes order as their logical names do, and equal ones hash alike."""
    assert (first.to_bytes() < second.to_bytes()) == (first < second)
    assert (first.to_bytes() == second.to_bytes()) == (1 == len({first, second}))


@given(text=st.text(alphabet="0123456789.:-*CFLPx ", max_size=24))
def test_nothing_else_is_raised(text: str) -> None:
    """Any text is a code or the package's own error, and a code that was read leads back."""
    try:
        code = Obis.parse(text)
    except ObisError:
        return
    assert code == Obis.parse(str(code))


@pytest.mark.parametrize("groups", [(256, 0, 0, 0, 0, 0), (-1, 0, 0, 0, 0), (1, 0, 1, 8, 0.5)])
def test_refuses_groups_out_of_range(groups: tuple[int, ...]) -> None:
    """A group is a whole number from 0 to 255."""
    with pytest.raises(ObisError, match="0 to 255"):
        Obis(*groups)


def test_refuses_a_logical_name_of_another_length() -> None:
    """A logical name has six bytes."""
    with pytest.raises(ObisError, match="6 bytes"):
        Obis.from_bytes(bytes(7))


def test_looks_like_its_text() -> None:
    """Printing a code gives its usual form, without the group that says nothing."""
    assert "1-0:1.8.0" == str(Obis(1, 0, 1, 8, 0))
    assert "1-0:1.8.0*0" == f"{Obis(1, 0, 1, 8, 0, 0)}"
