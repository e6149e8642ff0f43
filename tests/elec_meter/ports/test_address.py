from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.ports import AddressError, parse_address
from elec_meter.ports.address import format_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8063", ("127.0.0.1", 8063)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("meter-1.example:80", ("meter-1.example", 80)),
    ],
)
def test_an_address_is_host_and_port(text: str, address: tuple[str, int]) -> None:
    """It is read and written alike."""
    assert address == parse_address(text)
    assert text == format_address(*address)


@pytest.mark.parametrize(
    "text", ["8063", ":8063", "host:", "host:-1", "::1:80", "a b:1", "h:1x", ""]
)
def test_what_is_no_address_is_told_how_to_write_one(text: str) -> None:
    """The sentence shows the form."""
    with pytest.raises(AddressError, match="write HOST:PORT"):
        parse_address(text)


def test_a_port_too_large_is_named() -> None:
    """Ports end at 65535."""
    with pytest.raises(AddressError, match="65536"):
        parse_address("localhost:65536")


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """Nothing else is raised."""
    try:
        host, port = parse_address(text)
    except AddressError:
        return
    assert host
    assert 0 <= port <= 65535
