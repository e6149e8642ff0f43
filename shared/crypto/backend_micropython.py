"""The AES block of MicroPython's `cryptolib`, for the pulse unit."""

from cryptolib import aes  # type: ignore[import-not-found]  # MicroPython's own: no host has it

from shared.crypto.block import BlockCipher

_MODE_ECB = 1


class AesBlock(BlockCipher):
    """One AES key: 16 or 32 bytes.

    Raises:
        ValueError: for a key of another length.
    """

    def __init__(self, key: bytes) -> None:
        self._key = bytes(key)
        # A cryptolib object runs in one direction only.
        self._encryptor: aes = None
        self._decryptor: aes = None

    def encrypt_block(self, block: bytes) -> bytes:
        """Return the 16-byte ``block`` enciphered."""
        if self._encryptor is None:
            self._encryptor = aes(self._key, _MODE_ECB)
        return bytes(self._encryptor.encrypt(block))

    def decrypt_block(self, block: bytes) -> bytes:
        """Return the 16-byte ``block`` deciphered."""
        if self._decryptor is None:
            self._decryptor = aes(self._key, _MODE_ECB)
        return bytes(self._decryptor.decrypt(block))
