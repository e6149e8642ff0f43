"""What the type test refuses."""

from __future__ import annotations


class WaveError(ValueError):
    """No such wave.

    Example scenarios:
    - a current that is cut from a sine is to lag, which its formula does not know.
    """
