"""What was typed, in sentences that refuse it."""

import pytest

from shared.quoting import quoted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "''"),
        ("1,5", "'1,5'"),
        ("0123456789abcdef", "'0123456789abcdef'"),
        ("0123456789abcdef0", "'0123...'"),
        ("0F0E 0D0C 0B0A 0908 0706 0504 0302 0100", "'0F0E...'"),
    ],
)
def test_a_long_text_is_known_by_its_beginning(text: str, told: str) -> None:
    """A short one stands there as a whole; no sentence has all of a key."""
    assert told == quoted(text)
