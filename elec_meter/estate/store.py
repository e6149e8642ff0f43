"""An estate on disk: a file of arrays for each block, and one that says what they are.

The latter is written last and taken away first, so that what was interrupted is never taken for
whole.
"""

from __future__ import annotations

import zipfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from elec_meter.errors import EstateError
from elec_meter.estate.households import Block, Plan

INDEX_NAME: Final = "estate.json"
BLOCK_NAMES: Final = "block-*.npz"

_FORMAT: Final = 1
_ARRAYS: Final = tuple(field.name for field in fields(Block) if field.name != "first")


class _Index(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    meters: int
    days: int
    start_s: int
    seed: int
    blocks: int


class EstateStore:
    """The files of an estate.

    Args:
        directory: where they are.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def begin(self) -> None:
        """Make room for another estate.

        Raises:
            EstateError: the directory holds something else.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        ours = {*self.directory.glob(BLOCK_NAMES), *self.directory.glob("aggregate.*")}
        ours |= {*self.directory.glob(INDEX_NAME), *self.directory.glob("*.part")}
        others = sorted({*self.directory.iterdir()} - ours)
        if others:
            raise EstateError(f"{self.directory} holds {others[0].name}, which is of no estate")
        (self.directory / INDEX_NAME).unlink(missing_ok=True)
        for path in ours:
            path.unlink(missing_ok=True)

    def write_block(self, number: int, block: Block) -> None:
        """Write a block, whole or not at all."""
        arrays = {name: getattr(block, name) for name in _ARRAYS}
        path = self._path(number)
        new = path.with_suffix(".part")
        with new.open("wb") as file:
            np.savez(file, first=np.int64(block.first), **arrays)
        new.replace(path)

    def finish(self, plan: Plan, blocks: int) -> None:
        """Say that all blocks are there."""
        index = _Index(format=_FORMAT, blocks=blocks, **asdict(plan))
        self.replace(INDEX_NAME, msgspec.json.format(msgspec.json.encode(index)) + b"\n")

    def read_plan(self) -> Plan:
        """What the estate is.

        Raises:
            EstateError: there is none, or one that was interrupted.
        """
        path = self.directory / INDEX_NAME
        try:
            index = msgspec.json.decode(path.read_bytes(), type=_Index)
        except FileNotFoundError:
            raise EstateError(
                f"{self.directory} holds no whole estate: `elec-meter estate simulate` makes one"
            ) from None
        except msgspec.DecodeError:
            raise EstateError(f"{path} is not the index of an estate") from None
        if index.format != _FORMAT:
            raise EstateError(f"{path} has the format {index.format}, and this is {_FORMAT}")
        return Plan(index.meters, index.days, index.start_s, index.seed)

    def read_block(self, number: int, plan: Plan) -> Block:
        """A block, whose registers are the sums of its half-hours.

        Raises:
            EstateError: it is missing, damaged or another estate's.
        """
        path = self._path(number)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                block = Block(int(arrays["first"]), *(arrays[name] for name in _ARRAYS))
        except FileNotFoundError:
            raise EstateError(f"{path} is missing") from None
        except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, OSError):
            raise EstateError(f"{path} is damaged") from None
        first = number * plan.block_meters
        count = min(plan.block_meters, plan.meters - first)
        if block.first != first or block.import_wh.shape != (count, plan.half_hours):
            raise EstateError(f"{path} is a block of another estate")
        for name in ("import", "export"):
            rows_wh, register_wh = (
                getattr(block, f"{name}_wh"),
                getattr(block, f"{name}_register_wh"),
            )
            if not np.array_equal(rows_wh.sum(axis=1, dtype=np.int64), register_wh):
                raise EstateError(f"{path}: a register is not the sum of its half-hours")
        return block

    def replace(self, name: str, data: bytes) -> None:
        """Write a file of the estate, whole or not at all."""
        path = self.directory / name
        new = path.with_name(f"{name}.part")
        new.write_bytes(data)
        new.replace(path)

    def _path(self, number: int) -> Path:
        return self.directory / f"block-{number:06}.npz"
