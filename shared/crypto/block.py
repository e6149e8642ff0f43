"""What a backend provides: one AES key that ciphers single blocks."""

BLOCK = 16


class BlockCipher:
    """The base of every backend's ``AesBlock``: built from a key, ciphers 16-byte blocks.

    A backend that computes a whole mode at once has `whole_cmac(key, data)`, of the class, and
    `whole_cbc_decrypt(data, iv)`; without them the modes are built from its blocks.

    Raises:
        ValueError: for a key of a length that AES does not have.
    """

    def __init__(self, key: bytes) -> None:
        raise NotImplementedError

    def encrypt_block(self, block: bytes) -> bytes:
        """Return the 16-byte ``block`` enciphered."""
        raise NotImplementedError

    def decrypt_block(self, block: bytes) -> bytes:
        """Return the 16-byte ``block`` deciphered."""
        raise NotImplementedError
