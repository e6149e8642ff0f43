"""Damage to a valid input: what radios, lines and people do to bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

LENGTH_MAX = 4_096


def mutate(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One damaged copy of one of `seeds`, at most `LENGTH_MAX` bytes."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        rng.choice(_DAMAGES)(rng, data)
    if rng.random() < 0.1:
        data += rng.choice(seeds)
    return bytes(data[:LENGTH_MAX])


def _flip(rng: random.Random, data: bytearray) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _replace(rng: random.Random, data: bytearray) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _insert(rng: random.Random, data: bytearray) -> None:
    at = rng.randint(0, len(data))
    data[at:at] = rng.randbytes(rng.randint(1, 9))


def _remove(rng: random.Random, data: bytearray) -> None:
    at = rng.randint(0, len(data))
    del data[at : at + rng.randint(1, 9)]


def _truncate(rng: random.Random, data: bytearray) -> None:
    del data[rng.randint(0, len(data)) :]


def _repeat(rng: random.Random, data: bytearray) -> None:
    at = rng.randint(0, len(data))
    data[at:at] = data[at : at + rng.randint(1, 32)] * rng.randint(1, 20)


_DAMAGES: tuple[Callable[[random.Random, bytearray], None], ...] = (
    _flip,
    _flip,
    _replace,
    _replace,
    _insert,
    _remove,
    _truncate,
    _repeat,
)
