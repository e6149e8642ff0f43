"""Recorded telegrams: a text file with one frame a line, `2026-01-01T00:15:02.500Z 2E44...`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from collector.errors import BearerClosedError, ReplayFileError
from shared.errors import TimegridError
from shared.timegrid import require_utc, unix_ms

from .base import Bearer, ReceivedFrame

_FRAME_BYTES_MAX = 512

WHOLE_MS: Final = unix_ms(datetime.max.replace(tzinfo=UTC))
"""For `Bearer.receive_until`: all that was recorded, UNIX milliseconds."""


class ReplayFile(Bearer):
    """Hands over recorded frames when their time has come; nobody listens for a reply.

    Args:
        path: the file. A line is a time of reception with its offset (`Z` is UTC) and the frame in
            hexadecimal; blank lines and what follows a `#` are left out.
        delay_max_s: the recording bearer's greatest delay; None if it is not known.

    Raises:
        ReplayFileError: the file cannot be read, or a line of it is not such a line.
    """

    def __init__(self, path: Path, *, delay_max_s: int | None = None) -> None:
        self.name = path.name
        try:
            with path.open(encoding="ascii") as lines:
                frames = read_frames(lines, bearer=self.name, delay_max_s=delay_max_s)
        except ReplayFileError as error:
            raise ReplayFileError(f"{path}: {error}") from None
        except OSError as error:
            raise ReplayFileError(f"{path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ReplayFileError(f"{path} is not a text file of times and frames") from None
        self._frames = frames[::-1]
        self._is_closed = False

    def receive_until(self, utc_ms: int) -> list[ReceivedFrame]:
        """See `Bearer.receive_until`."""
        if self._is_closed:
            raise BearerClosedError(f"{self.name} is closed")
        received = []
        while self._frames and _received_ms(self._frames[-1]) <= utc_ms:
            received.append(self._frames.pop())
        return received

    def next_frame_utc_ms(self) -> int | None:
        """See `Bearer.next_frame_utc_ms`."""
        return _received_ms(self._frames[-1]) if self._frames else None

    def close(self) -> None:
        """See `Bearer.close`."""
        self._is_closed = True
        self._frames.clear()


def read_frames(
    lines: Iterable[str], *, bearer: str = "replay", delay_max_s: int | None = None
) -> list[ReceivedFrame]:
    """Frames of recorded lines, in order of reception.

    Raises:
        ReplayFileError: a line is not a time and a frame; the sentence names it.
    """
    frames = []
    for number, line in enumerate(lines, start=1):
        fields = line.partition("#")[0].split(maxsplit=1)
        if fields:
            received_utc, data = _parsed(number, fields)
            frames.append(ReceivedFrame(data, received_utc, bearer, delay_max_s, two_way=False))
    frames.sort(key=lambda frame: frame.received_utc)
    return frames


def _parsed(number: int, fields: list[str]) -> tuple[datetime, bytes]:
    if len(fields) != 2:
        raise ReplayFileError(f"line {number} has no frame after its time")
    try:
        received_utc = require_utc(datetime.fromisoformat(fields[0]))
    except (ValueError, TimegridError):
        raise ReplayFileError(
            f"line {number} begins with {fields[0][:40]!r} where a time such as"
            " 2026-01-01T00:15:02Z is needed"
        ) from None
    try:
        data = bytes.fromhex(fields[1])
    except ValueError:
        raise ReplayFileError(f"line {number} has a frame that is not hexadecimal") from None
    if not 0 < len(data) <= _FRAME_BYTES_MAX:
        raise ReplayFileError(f"line {number} has a frame of {len(data)} bytes")
    return received_utc, data


def _received_ms(frame: ReceivedFrame) -> int:
    return unix_ms(frame.received_utc)
