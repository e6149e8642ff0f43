"""AES-CCM (RFC 3610, NIST SP 800-38C): BTHome's authenticated encryption."""

from shared.crypto.block import BLOCK, BlockCipher
from shared.crypto.cmac import same_mac, xor
from shared.crypto.modes import ctr


def ccm_seal(
    aes: "type[BlockCipher]",
    key: bytes,
    nonce: bytes,
    data: bytes,
    associated: bytes = b"",
    mac_length: int = 4,
) -> bytes:
    """Return the enciphered ``data`` followed by its MAC of ``mac_length`` bytes.

    Args:
        aes: the AES block class of a backend.
        key: 16 bytes.
        nonce: 7 to 13 bytes, never used twice under one key.
        data: what is enciphered; at most 65,535 bytes.
        associated: what is authenticated only.
        mac_length: 4, 6, 8, ... 16.

    Raises:
        ValueError: for a nonce, MAC or data length outside these limits.
    """
    _check_lengths(nonce, data, associated, mac_length)
    block = aes(key)
    mac = _cbc_mac(block, nonce, data, associated, mac_length)
    masked = ctr(block, mac[:mac_length], _counter_block(nonce, 0))
    return ctr(block, data, _counter_block(nonce, 1)) + masked


def ccm_open(
    aes: "type[BlockCipher]",
    key: bytes,
    nonce: bytes,
    sealed: bytes,
    associated: bytes = b"",
    mac_length: int = 4,
) -> "bytes | None":
    """Return the deciphered data, or None if its MAC is not the one of this key and nonce.

    Raises:
        ValueError: for a nonce, MAC or data length outside the limits of `ccm_seal`.
    """
    length = len(sealed) - mac_length
    if length < 0:
        return None
    _check_lengths(nonce, sealed[:length], associated, mac_length)
    block = aes(key)
    data = ctr(block, sealed[:length], _counter_block(nonce, 1))
    mac = ctr(block, sealed[length:], _counter_block(nonce, 0))
    expected = _cbc_mac(block, nonce, data, associated, mac_length)[:mac_length]
    return data if same_mac(expected, mac) else None


def _check_lengths(nonce: bytes, data: bytes, associated: bytes, mac_length: int) -> None:
    if not 7 <= len(nonce) <= 13:
        raise ValueError("a CCM nonce has 7 to 13 bytes, not %d" % len(nonce))
    if mac_length not in (4, 6, 8, 10, 12, 14, 16):
        raise ValueError("a CCM MAC has 4, 6, ... 16 bytes, not %d" % mac_length)
    if len(data) > 0xFFFF or len(associated) >= 0xFF00:
        raise ValueError("CCM here takes at most 65,535 bytes")


def _counter_block(nonce: bytes, counter: int) -> bytes:
    length_size = 15 - len(nonce)
    return bytes([length_size - 1]) + nonce + counter.to_bytes(length_size, "big")


def _cbc_mac(
    block: BlockCipher, nonce: bytes, data: bytes, associated: bytes, mac_length: int
) -> bytes:
    length_size = 15 - len(nonce)
    flags = (0x40 if associated else 0) | ((mac_length - 2) // 2 << 3) | (length_size - 1)
    state = block.encrypt_block(bytes([flags]) + nonce + len(data).to_bytes(length_size, "big"))
    if associated:
        state = _chained(block, state, len(associated).to_bytes(2, "big") + associated)
    return _chained(block, state, data)


def _chained(block: BlockCipher, state: bytes, data: bytes) -> bytes:
    for start in range(0, len(data), BLOCK):
        piece = data[start : start + BLOCK]
        state = block.encrypt_block(xor(state, piece))  # a short piece is padded with zeros
    return state
