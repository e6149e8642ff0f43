"""The AES block of whichever interpreter runs: MicroPython's own, or cryptography's on a PC."""

from shared.crypto.block import BlockCipher


def host_aes() -> "type[BlockCipher]":
    """Return the AES block class that this interpreter has."""
    try:
        from shared.crypto.backend_micropython import AesBlock
    except ImportError:
        from shared.crypto.backend_cryptography import AesBlock as HostBlock

        return HostBlock
    return AesBlock
