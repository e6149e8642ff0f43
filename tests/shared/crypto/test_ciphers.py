"""CMAC, CBC, CTR and CCM against their standards' vectors and against another implementation."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.crypto.backend_cryptography import AesBlock
from shared.crypto.block import BlockCipher
from shared.crypto.ccm import ccm_open, ccm_seal
from shared.crypto.cmac import cmac, same_mac
from shared.crypto.modes import cbc_decrypt, cbc_encrypt, ctr

NIST_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
NIST_TEXT = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
KEYS = st.binary(min_size=16, max_size=16)

# RFC 4493, section 4
RFC_4493 = [
    (0, "bb1d6929e95937287fa37d129b756746"),
    (16, "070a16b46b4d4144f79bdd9dd04a287c"),
    (40, "dfa66747de9ae63030ca32611497c827"),
    (64, "51f0bebf7e3b9d92fc49741779363cfe"),
]

# RFC 3610, section 8, packet vectors 1 to 3: nonce, data, sealed
RFC_3610_KEY = bytes.fromhex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf")
RFC_3610 = [
    (
        "00000003020100a0a1a2a3a4a5",
        bytes(range(0x08, 0x1F)),
        "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0",
    ),
    (
        "00000004030201a0a1a2a3a4a5",
        bytes(range(0x08, 0x20)),
        "72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3ba091d56e10400916",
    ),
    (
        "00000005040302a0a1a2a3a4a5",
        bytes(range(0x08, 0x21)),
        "51b1e5f44a197d1da46b0f8e2d282ae871e838bb64da8596574adaa76fbd9fb0c5",
    ),
]


class BareBlock(AesBlock):
    """A backend that has blocks alone, as a small board's: the modes are then built from them."""

    whole_cmac = None
    whole_cbc_decrypt = None


BACKENDS = pytest.mark.parametrize("aes", [AesBlock, BareBlock])


def test_the_block_is_aes() -> None:
    """FIPS 197's example enciphers and deciphers."""
    block = AesBlock(bytes(range(16)))
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    sealed = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")
    assert sealed == block.encrypt_block(plain)
    assert plain == block.decrypt_block(sealed)


@BACKENDS
@pytest.mark.parametrize(("length", "mac"), RFC_4493)
def test_cmac_vectors(aes: type[BlockCipher], length: int, mac: str) -> None:
    """Each example of RFC 4493 has the MAC printed there."""
    assert mac == cmac(aes, NIST_KEY, NIST_TEXT[:length]).hex()


@given(KEYS, st.binary(max_size=80))
@settings(max_examples=60)
def test_cmac_agrees_with_another_implementation(key: bytes, data: bytes) -> None:
    """Any text has the MAC that the cryptography package computes."""
    other = CMAC(AES(key))
    other.update(data)
    assert other.finalize() == cmac(BareBlock, key, data) == cmac(AesBlock, key, data)


def test_macs_are_compared_whole() -> None:
    """Only equal MACs of equal length are the same."""
    assert same_mac(b"12345678", b"12345678")
    assert not same_mac(b"12345678", b"12345679")
    assert not same_mac(b"02345678", b"12345678")
    assert not same_mac(b"12345678", b"1234567")


@BACKENDS
def test_cbc_vector(aes: type[BlockCipher]) -> None:
    """The example of NIST SP 800-38A, F.2.1, enciphers and deciphers."""
    iv = bytes(range(16))
    sealed = bytes.fromhex("7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2")
    assert sealed == cbc_encrypt(aes(NIST_KEY), NIST_TEXT[:32], iv)
    assert NIST_TEXT[:32] == cbc_decrypt(aes(NIST_KEY), sealed, iv)


@pytest.mark.parametrize("cipher", [cbc_encrypt, cbc_decrypt])
def test_cbc_takes_whole_blocks(cipher) -> None:
    """Text that is no whole number of blocks is refused."""
    with pytest.raises(ValueError, match="whole blocks"):
        cipher(AesBlock(NIST_KEY), bytes(17))


def test_ctr_vector() -> None:
    """The example of NIST SP 800-38A, F.5.1, enciphers, and enciphered again is plain."""
    first = bytes(range(0xF0, 0x100))
    sealed = bytes.fromhex("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff")
    assert sealed == ctr(AesBlock(NIST_KEY), NIST_TEXT[:32], first)
    assert NIST_TEXT[:29] == ctr(AesBlock(NIST_KEY), sealed[:29], first)


@pytest.mark.parametrize(("nonce", "data", "sealed"), RFC_3610)
def test_ccm_vectors(nonce: str, data: bytes, sealed: str) -> None:
    """Each example of RFC 3610 seals to what is printed there, and opens."""
    arguments = (AesBlock, RFC_3610_KEY, bytes.fromhex(nonce))
    associated = bytes(range(8))
    assert sealed == ccm_seal(*arguments, data, associated, 8).hex()
    assert data == ccm_open(*arguments, bytes.fromhex(sealed), associated, 8)


@given(
    KEYS,
    st.binary(min_size=7, max_size=13),
    st.binary(max_size=40),
    st.binary(max_size=40),
    st.sampled_from([4, 8, 16]),
)
@settings(max_examples=60)
def test_ccm_agrees_with_another_implementation(
    key: bytes, nonce: bytes, data: bytes, associated: bytes, mac_length: int
) -> None:
    """Any text seals to what the cryptography package makes of it, and opens."""
    sealed = ccm_seal(AesBlock, key, nonce, data, associated, mac_length)
    assert AESCCM(key, mac_length).encrypt(nonce, data, associated) == sealed
    assert data == ccm_open(AesBlock, key, nonce, sealed, associated, mac_length)


@given(st.integers(0, 20 * 8 - 1))
@settings(max_examples=60)
def test_ccm_opens_nothing_that_was_changed(bit: int) -> None:
    """One changed bit anywhere, and the seal does not open."""
    sealed = bytearray(ccm_seal(AesBlock, NIST_KEY, bytes(13), bytes(16)))
    sealed[bit // 8] ^= 1 << bit % 8
    assert ccm_open(AesBlock, NIST_KEY, bytes(13), bytes(sealed)) is None


def test_ccm_refuses_impossible_lengths() -> None:
    """A nonce or MAC of a length that CCM has not is the caller's mistake; a short seal is not."""
    with pytest.raises(ValueError, match="nonce"):
        ccm_seal(AesBlock, NIST_KEY, bytes(14), b"")
    with pytest.raises(ValueError, match="MAC"):
        ccm_seal(AesBlock, NIST_KEY, bytes(13), b"", b"", 5)
    with pytest.raises(ValueError, match="65,535"):
        ccm_seal(AesBlock, NIST_KEY, bytes(13), bytes(65_536))
    assert ccm_open(AesBlock, NIST_KEY, bytes(13), b"abc") is None
