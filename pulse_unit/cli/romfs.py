"""A ROMFS image: files that MicroPython runs where they lie in flash, without a copy in RAM.

The format is that of MicroPython's `vfs.VfsRom`: records of a kind, a length and a payload, the
first two as numbers of seven bits a byte, most significant first; a directory's payload is its name
and the records in it.
"""

from __future__ import annotations

from collections.abc import Mapping

_HEADER = b"\xd2\xcd\x31"  # the kind of the record that is the whole image
_DATA = 2
_DIRECTORY = 4
_FILE = 5


def romfs_image(files: Mapping[str, bytes]) -> bytes:
    """Return the image of a file system with these files, by their paths with slashes."""
    content = _records(files)
    length = _number(len(content))
    if (len(_HEADER) + len(length) + len(content)) % 2:
        length = b"\x80" + length  # flash is written in whole units
    return _HEADER + length + content


def _records(files: Mapping[str, bytes]) -> bytes:
    """Return the records of what is in one directory."""
    records = b""
    folders: dict[str, dict[str, bytes]] = {}
    for path, data in sorted(files.items()):
        name, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(name, {})[rest] = data
        else:
            records += _record(_FILE, _named(name) + _record(_DATA, data))
    for name, inside in folders.items():
        records += _record(_DIRECTORY, _named(name) + _records(inside))
    return records


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def _named(name: str) -> bytes:
    encoded = name.encode()
    return _number(len(encoded)) + encoded


def _number(value: int) -> bytes:
    encoded = bytes([value & 0x7F])
    while value := value >> 7:
        encoded = bytes([0x80 | value & 0x7F]) + encoded
    return encoded
