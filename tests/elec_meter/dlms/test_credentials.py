from __future__ import annotations

from pathlib import Path

import pytest

from elec_meter.dlms import (
    PUBLISHED_KEYS,
    PUBLISHED_PASSWORD,
    CredentialError,
    Credentials,
    GivenCredentials,
    Keys,
    given_from,
)
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms_service import credentials_of
from elec_meter.storage import DLMS_CLIENTS_NAME

EK, AK, KEK, TITLE = b"E" * 16, b"A" * 16, b"K" * 16, b"HES12345"
KEYS = GivenCredentials(encryption=EK.hex(), authentication=AK.hex(), master=KEK.hex())


def test_what_was_given_is_there_after_a_restart(tmp_path: Path) -> None:
    """In a file that nobody else reads; password and keys come one after the other."""
    credentials = credentials_of(tmp_path)
    assert ["public"] == [
        each for each in ("public", "reader", "management") if credentials.has(each)
    ]
    credentials.give("reader", GivenCredentials(password=b"long enough".hex()))
    credentials.give("reader", KEYS)
    credentials.give("management", GivenCredentials(**{**_fields(KEYS), "title": TITLE.hex()}))

    found = credentials_of(tmp_path)
    reader, management = found.rule("reader"), found.rule("management")
    assert (b"long enough", Keys(EK, AK), KEK) == (reader.password, reader.keys, reader.master)
    assert (1, Keys(EK, AK), TITLE) == (management.sap, management.keys, management.title)
    assert 0o600 == (tmp_path / DLMS_CLIENTS_NAME).stat().st_mode & 0o777
    assert EK.hex() not in f"{credentials!r} {KEYS!r} {management!r}"


def _fields(given: GivenCredentials) -> dict[str, str]:
    return {name: getattr(given, name) for name in given.__struct_fields__}


def test_keys_alone_take_the_place_of_all_keys() -> None:
    """Of KEK and title too: those that are not given are gone; the password stays."""
    credentials = Credentials()
    credentials.give("reader", GivenCredentials(password=b"long enough".hex()))
    credentials.give("reader", GivenCredentials(**{**_fields(KEYS), "title": TITLE.hex()}))
    credentials.give("reader", GivenCredentials(encryption=AK.hex(), authentication=EK.hex()))
    rule = credentials.rule("reader")

    assert (Keys(AK, EK), b"", b"") == (rule.keys, rule.master, rule.title)
    assert b"long enough" == rule.password


@pytest.mark.parametrize(
    ("client", "fields", "reason"),
    [
        ("public", {"password": b"long enough".hex()}, "reader and management"),
        ("nobody", {}, "reader and management"),
        ("management", {"password": b"long enough".hex()}, "EK has 32"),
        ("management", {"encryption": EK.hex()}, "AK has 32"),
        ("reader", {"encryption": EK.hex()}, "AK has 32"),
        ("reader", {"encryption": "zz", "authentication": AK.hex()}, "hexadecimal"),
        ("reader", {"encryption": EK.hex(), "authentication": EK.hex()}, "different"),
        ("reader", {"encryption": EK.hex(), "authentication": AK.hex(), "title": "00"}, "16"),
        ("reader", {"password": b"short".hex()}, "8 to 64 bytes"),
        ("reader", {"password": (b"x" * 65).hex()}, "8 to 64 bytes"),
        ("reader", {"password": PUBLISHED_PASSWORD.hex()}, "everybody"),
        (
            "management",
            {"encryption": PUBLISHED_KEYS.encryption.hex(), "authentication": AK.hex()},
            "everybody",
        ),
        ("reader", {}, "neither keys nor a password"),
        ("reader", {"colour": "00"}, "a DLMS client is given"),
    ],
)
def test_what_no_client_can_have_is_refused(
    client: str, fields: dict[str, str], reason: str
) -> None:
    """In a sentence that quotes no secret, and nothing is changed."""
    kept: list[bytes] = []
    with pytest.raises(CredentialError, match=reason) as refusal:
        Credentials(keep=kept.append).give(client, given_from(fields))
    assert [] == kept
    assert not any(text and text in str(refusal.value) for text in fields.values())


def test_nobody_has_a_rule_without_credentials() -> None:
    """There are no defaults."""
    with pytest.raises(CredentialError, match="management"):
        Credentials().rule("management")


@pytest.mark.parametrize("saved", [b"{", b'{"reader":{"encryption":"00"}}', b'{"public":{}}'])
def test_a_damaged_file_is_told(saved: bytes) -> None:
    """Without what is in it."""
    with pytest.raises(MalformedError, match=r"kept are damaged$"):
        Credentials(saved)
