"""The AES block of the `cryptography` package, for hosts."""

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from shared.crypto.block import BlockCipher


class AesBlock(BlockCipher):
    """One AES key: 16, 24 or 32 bytes.

    Raises:
        ValueError: for a key of another length.
    """

    __slots__ = ("_cipher", "_decryptor", "_encryptor")

    def __init__(self, key: bytes) -> None:
        # ECB of a single block is the block cipher itself; the modes are built above it.
        self._cipher = Cipher(AES(bytes(key)), ECB())
        self._encryptor: CipherContext | None = None
        self._decryptor: CipherContext | None = None

    def encrypt_block(self, block: bytes) -> bytes:
        """Return the 16-byte ``block`` enciphered."""
        if self._encryptor is None:
            self._encryptor = self._cipher.encryptor()
        return self._encryptor.update(block)

    def decrypt_block(self, block: bytes) -> bytes:
        """Return the 16-byte ``block`` deciphered."""
        if self._decryptor is None:
            self._decryptor = self._cipher.decryptor()
        return self._decryptor.update(block)
