"""AES-CMAC (RFC 4493, NIST SP 800-38B) over an injected AES block.

``aes`` is a class of `shared.crypto.block.BlockCipher`'s shape: each backend exports ``AesBlock``.
"""

from shared.crypto.block import BLOCK, BlockCipher

_ZERO_BLOCK = bytes(BLOCK)


def cmac(aes: "type[BlockCipher]", key: bytes, data: bytes) -> bytes:
    """Return the 16-byte CMAC of ``data`` under the 16-byte ``key``."""
    whole = getattr(aes, "whole_cmac", None)
    if whole is not None:
        computed: bytes = whole(key, data)
        return computed
    block = aes(key)
    subkey = _doubled(block.encrypt_block(_ZERO_BLOCK))
    whole = len(data) // BLOCK
    tail = data[whole * BLOCK :]
    if not tail and whole:
        whole -= 1
        tail = data[whole * BLOCK :]
    if len(tail) < BLOCK:
        subkey = _doubled(subkey)
        tail = bytes(tail) + b"\x80" + bytes(BLOCK - 1 - len(tail))
    state = _ZERO_BLOCK
    for index in range(whole):
        state = block.encrypt_block(xor(state, data[index * BLOCK : index * BLOCK + BLOCK]))
    return block.encrypt_block(xor(xor(state, tail), subkey))


def xor(left: bytes, right: bytes) -> bytes:
    """Return the exclusive or of two byte strings of one length."""
    mixed = bytearray(left)
    for index, byte in enumerate(right):
        mixed[index] ^= byte
    return bytes(mixed)


def same_mac(left: bytes, right: bytes) -> bool:
    """Tell whether two MACs are equal, taking equally long wherever they differ."""
    if len(left) != len(right):
        return False
    difference = 0
    for index, byte in enumerate(right):
        difference |= left[index] ^ byte
    return difference == 0


def _doubled(block: bytes) -> bytes:
    # Multiplication by x in GF(2^128); the reduction is chosen without a branch on key material.
    doubled = bytearray(BLOCK)
    carry = 0
    for index in range(BLOCK - 1, -1, -1):
        byte = block[index]
        doubled[index] = ((byte << 1) | carry) & 0xFF
        carry = byte >> 7
    doubled[BLOCK - 1] ^= 0x87 * carry
    return bytes(doubled)
