"""AES block modes: CBC (security modes 5 and 7) and CTR (extended link layer, CCM).

The functions take a keyed block object, ``aes(key)``, so that a caller ciphering twice under one
key expands it once.
"""

from shared.crypto.block import BLOCK, BlockCipher
from shared.crypto.cmac import xor

ZERO_IV = bytes(BLOCK)


def cbc_encrypt(block: BlockCipher, data: bytes, iv: bytes = ZERO_IV) -> bytes:
    """Return ``data`` (whole blocks) enciphered by cipher block chaining.

    Raises:
        ValueError: if ``data`` is not a whole number of 16-byte blocks.
    """
    _check_whole(data)
    sealed = bytearray()
    state = iv
    for start in range(0, len(data), BLOCK):
        state = block.encrypt_block(xor(data[start : start + BLOCK], state))
        sealed += state
    return bytes(sealed)


def cbc_decrypt(block: BlockCipher, data: bytes, iv: bytes = ZERO_IV) -> bytes:
    """Return ``data`` (whole blocks) deciphered by cipher block chaining.

    Raises:
        ValueError: if ``data`` is not a whole number of 16-byte blocks.
    """
    _check_whole(data)
    whole = getattr(block, "whole_cbc_decrypt", None)
    if whole is not None:
        deciphered: bytes = whole(data, iv)
        return deciphered
    opened = bytearray()
    state = iv
    for start in range(0, len(data), BLOCK):
        sealed = bytes(data[start : start + BLOCK])
        opened += xor(block.decrypt_block(sealed), state)
        state = sealed
    return bytes(opened)


def ctr(block: BlockCipher, data: bytes, first: bytes) -> bytes:
    """Return ``data`` combined with the key stream that starts at counter block ``first``.

    The last two bytes of the counter block count up, modulo 65,536; enciphering and deciphering
    are the same.
    """
    counter = bytearray(first)
    mixed = bytearray()
    for start in range(0, len(data), BLOCK):
        piece = data[start : start + BLOCK]
        mixed += xor(piece, block.encrypt_block(bytes(counter))[: len(piece)])
        counter[15] = (counter[15] + 1) & 0xFF
        if counter[15] == 0:
            counter[14] = (counter[14] + 1) & 0xFF
    return bytes(mixed)


def _check_whole(data: bytes) -> None:
    if len(data) % BLOCK:
        raise ValueError("CBC works on whole blocks of 16 bytes, not on %d bytes" % len(data))
