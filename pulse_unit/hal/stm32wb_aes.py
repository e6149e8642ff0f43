"""AES in the STM32WB's own unit: MicroPython's standard build for it has no `cryptolib`.

Registers by reference manual RM0434, chapter "AES hardware accelerator"; words go in and out with
the first byte as the most significant.
"""

from machine import mem32  # type: ignore[import-not-found]  # a board's

from shared.crypto.block import BlockCipher

_RCC_AHB2ENR = 0x5800004C
_AES1EN = 1 << 16
_CR = 0x50060000
_SR = 0x50060004
_DINR = 0x50060008
_DOUTR = 0x5006000C
_KEYR0 = 0x50060010
_EN = 1 << 0
_DERIVE_AND_DECRYPT = 3 << 3  # electronic code book, the key schedule run backwards first
_CCFC = 1 << 7
_CCF = 1 << 0


class AesBlock(BlockCipher):
    """One AES key of 16 bytes.

    Raises:
        ValueError: for a key of another length.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != 16:
            raise ValueError("an AES key has 16 bytes")
        self._key = bytes(key)
        mem32[_RCC_AHB2ENR] |= _AES1EN

    def encrypt_block(self, block: bytes) -> bytes:
        """Return the 16-byte ``block`` enciphered."""
        return self._run(0, block)

    def decrypt_block(self, block: bytes) -> bytes:
        """Return the 16-byte ``block`` deciphered."""
        return self._run(_DERIVE_AND_DECRYPT, block)

    def _run(self, mode: int, block: bytes) -> bytes:
        """Run a block through the unit, which whoever ran before may have left with another key."""
        mem32[_CR] = mode
        for word in range(4):
            # The key's last word lies in the first register.
            part = self._key[12 - 4 * word : 16 - 4 * word]
            mem32[_KEYR0 + 4 * word] = int.from_bytes(part, "big")
        mem32[_CR] = mode | _EN
        for start in range(0, 16, 4):
            mem32[_DINR] = int.from_bytes(block[start : start + 4], "big")
        while not mem32[_SR] & _CCF:
            pass
        done = b""
        for _ in range(4):
            done += mem32[_DOUTR].to_bytes(4, "big")
        mem32[_CR] = mode | _CCFC
        return done
