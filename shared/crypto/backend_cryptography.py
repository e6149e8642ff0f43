"""The AES block of the `cryptography` package, for hosts."""

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from cryptography.hazmat.primitives.cmac import CMAC

from shared.crypto.block import BlockCipher


class AesBlock(BlockCipher):
    """One AES key: 16, 24 or 32 bytes.

    Raises:
        ValueError: for a key of another length.
    """

    __slots__ = ("_algorithm", "_cipher", "_decryptor", "_encryptor")

    def __init__(self, key: bytes) -> None:
        # ECB of a single block is the block cipher itself; the modes are built above it.
        self._algorithm = AES(bytes(key))
        self._cipher = Cipher(self._algorithm, ECB())
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

    @staticmethod
    def whole_cmac(key: bytes, data: bytes) -> bytes:
        """Return the CMAC of ``data``."""
        mac = CMAC(AES(bytes(key)))
        mac.update(data)
        return mac.finalize()

    def whole_cbc_decrypt(self, data: bytes, iv: bytes) -> bytes:
        """Return whole blocks deciphered by cipher block chaining."""
        return Cipher(self._algorithm, CBC(iv)).decryptor().update(data)
