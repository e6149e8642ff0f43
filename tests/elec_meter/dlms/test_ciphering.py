from __future__ import annotations

import pytest
from dlms_cosem import security as other
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.dlms.ciphering import (
    CONTENT_MAX,
    Ciphering,
    Keys,
    Protection,
    decode_ciphered,
    is_ciphered,
    overhead,
    proof_counter,
    protect,
    prove,
    seal,
    unprotect,
    unseal,
)
from elec_meter.dlms.errors import (
    CipheringError,
    EncodingError,
    MalformedError,
    NotSupportedError,
    PeerError,
    TooLargeError,
)

# The DLMS UA's "Green Book": GET of the clock, InitiateRequest with a dedicated key, HLS with GMAC.
KEYS = Keys(
    bytes.fromhex("000102030405060708090a0b0c0d0e0f"),
    bytes.fromhex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"),
)
SERVER = bytes.fromhex("4d4d4d0000bc614e")
CLIENT = bytes.fromhex("4d4d4d0000000001")
COUNTER = 0x01234567
GET_CLOCK = bytes.fromhex("c0010000080000010000ff0200")
INITIATE = bytes.fromhex("01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0")

VECTORS = [
    (GET_CLOCK, Protection.NONE, "c8120001234567c0010000080000010000ff0200"),
    (
        GET_CLOCK,
        Protection.AUTHENTICATED,
        "c81e1001234567c0010000080000010000ff020006725d910f9221d263877516",
    ),
    (GET_CLOCK, Protection.ENCRYPTED, "c8122001234567411312ff935a47566827c467bc"),
    (
        GET_CLOCK,
        Protection.BOTH,
        "c81e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6b",
    ),
    (
        INITIATE,
        Protection.BOTH,
        (
            "21303001234567801302ff8a7874133d414ced25b42534d28db0047720606b175bd52211be6841db204d39ee"
            "6fdb8e356855"
        ),
    ),
]
titles = st.binary(min_size=8, max_size=8)
keys = st.builds(Keys, st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
protections = st.sampled_from([Protection(bits) for bits in (0, 0x10, 0x20, 0x30)])
apdus = st.builds(
    lambda tag, rest: bytes((tag,)) + rest,
    st.sampled_from([0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7]),
    st.binary(max_size=300),
)


@pytest.mark.parametrize(("apdu", "protection", "sealed"), VECTORS)
def test_the_standards_examples(apdu: bytes, protection: Protection, sealed: str) -> None:
    """Both ways."""
    assert sealed == seal(apdu, Ciphering.GLOBAL, protection, KEYS, SERVER, COUNTER).hex()
    ciphered = decode_ciphered(bytes.fromhex(sealed))
    assert (protection, COUNTER) == (ciphered.protection, ciphered.counter)
    assert apdu == unseal(ciphered, KEYS, SERVER)


def test_the_standards_example_of_high_level_security() -> None:
    """The answers of client and server to each other's challenge."""
    client = prove(b"P6wRJ21F", KEYS, CLIENT, 1)
    server = prove(b"K56iVagY", KEYS, SERVER, COUNTER)

    assert "10000000011a52fe7dd3e72748973c1e28" == client.hex()
    assert "1001234567fe1466afb3dbcd4f9389e2b7" == server.hex()
    assert 1 == proof_counter(client, b"P6wRJ21F", KEYS, CLIENT)


@given(apdus, st.sampled_from(Ciphering), protections, keys, titles, st.integers(0, 0xFFFF_FFFF))
def test_what_is_sealed_is_unsealed(
    apdu: bytes, form: Ciphering, protection: Protection, keys: Keys, title: bytes, counter: int
) -> None:
    """In every form, and no longer than foreseen."""
    sealed = seal(apdu, form, protection, keys, title, counter)
    ciphered = decode_ciphered(sealed)

    assert is_ciphered(sealed[0])
    assert (form, protection, counter) == (
        ciphered.form,
        ciphered.protection,
        ciphered.counter,
    )
    assert (title if form.is_general else b"") == ciphered.title
    assert apdu == unseal(ciphered, keys, title)
    assert len(apdu) + overhead(form, protection, len(apdu)) == len(sealed)


@given(apdus, st.sampled_from([Protection.AUTHENTICATED, Protection.BOTH]), st.data())
def test_a_changed_bit_is_noticed(apdu: bytes, protection: Protection, data: st.DataObject) -> None:
    """Wherever it is."""
    sealed = bytearray(seal(apdu, Ciphering.GENERAL_GLOBAL, protection, KEYS, SERVER, COUNTER))
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    try:
        ciphered = decode_ciphered(bytes(sealed))
    except PeerError:
        return
    if ciphered.protection is Protection.NONE or ciphered.protection is Protection.ENCRYPTED:
        return  # who demands authentication refuses these
    if ciphered.title != SERVER or ciphered.form is not Ciphering.GENERAL_GLOBAL:
        return  # another sender, or another key, is asked for
    with pytest.raises(CipheringError):
        unseal(ciphered, KEYS, SERVER)


@given(st.binary(max_size=80))
def test_any_bytes_are_ciphered_or_refused(noise: bytes) -> None:
    """Typed refusals alone."""
    for tag in (0x21, 0xC8, 0xD0, 0xDB, 0xDC):
        try:
            ciphered = decode_ciphered(bytes((tag,)) + noise)
            unseal(ciphered, KEYS, SERVER)
        except PeerError:
            continue


@pytest.mark.parametrize("control", ["01", "02", "40", "80", "b0"])
def test_other_suites_and_keys_are_refused(control: str) -> None:
    """Elliptic curves, broadcast keys, compression."""
    with pytest.raises(NotSupportedError):
        decode_ciphered(bytes.fromhex(f"c812{control}01234567c0010000080000010000ff0200"))


def test_a_tag_names_what_is_within() -> None:
    """A SET that pretends to be a GET is refused, also where nothing is authenticated."""
    sealed = seal(b"\xc1\x01", Ciphering.GLOBAL, Protection.NONE, KEYS, SERVER, 1)
    with pytest.raises(CipheringError):
        unseal(decode_ciphered(b"\xc8" + sealed[1:]), KEYS, SERVER)


@pytest.mark.parametrize(
    "data", ["c8", "c803200102", "c806100000000100", "db08", "db01aa051000000001"]
)
def test_half_a_ciphered_apdu_is_refused(data: str) -> None:
    """No counter, no title, no tag."""
    with pytest.raises((MalformedError, CipheringError)):
        unseal(decode_ciphered(bytes.fromhex(data)), KEYS, SERVER)
    with pytest.raises(TooLargeError):
        decode_ciphered(b"\xc8\x83" + (CONTENT_MAX + 1).to_bytes(3, "big"))


@pytest.mark.parametrize(
    ("bad_keys", "title", "counter"),
    [
        (KEYS._replace(encryption=b"short"), SERVER, 1),
        (KEYS._replace(authentication=b""), SERVER, 1),
        (KEYS, b"HHY", 1),
        (KEYS, SERVER, 1 << 32),
    ],
)
def test_keys_titles_and_counters_have_sizes(bad_keys: Keys, title: bytes, counter: int) -> None:
    """Other ones are our mistake."""
    with pytest.raises(EncodingError):
        protect(b"", Protection.BOTH, bad_keys, title, counter)


def test_a_wrong_answer_to_a_challenge_is_refused() -> None:
    """Another challenge, another title, another length, another control byte."""
    proof = prove(b"P6wRJ21F", KEYS, CLIENT, 1)
    for answer, challenge, title in (
        (proof, b"P6wRJ21f", CLIENT),
        (proof, b"P6wRJ21F", SERVER),
        (proof[:-1], b"P6wRJ21F", CLIENT),
        (b"\x30" + proof[1:], b"P6wRJ21F", CLIENT),
        (proof, b"P6wRJ21F", b""),
    ):
        with pytest.raises(CipheringError):
            proof_counter(answer, challenge, KEYS, title)


def test_keys_are_not_shown() -> None:
    """Not in a traceback, not in a log."""
    assert "<Keys>" == repr(KEYS)


def test_another_library_agrees() -> None:
    """On what is authenticated and encrypted, and on the answer to a challenge."""
    both = other.SecurityControlField.from_bytes(bytes((Protection.BOTH,)))
    sealed = other.encrypt(both, SERVER, 5, KEYS.encryption, GET_CLOCK, KEYS.authentication)
    assert sealed == protect(GET_CLOCK, Protection.BOTH, KEYS, SERVER, 5)
    assert GET_CLOCK == unprotect(sealed, Protection.BOTH, KEYS, SERVER, 5)

    alone = other.SecurityControlField.from_bytes(bytes((Protection.AUTHENTICATED,)))
    tag = other.gmac(alone, SERVER, 5, KEYS.encryption, KEYS.authentication, b"challenge")
    assert tag == prove(b"challenge", KEYS, SERVER, 5)[5:]
