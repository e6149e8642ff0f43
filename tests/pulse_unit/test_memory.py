from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pulse_unit.hal.memory import FileNvm, MemoryNvm
from pulse_unit.nvm import Nvm

PAGES, PAGE = 3, 256


@pytest.fixture(params=["memory", "file"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Nvm]:
    """How to make, or open again, each kind of memory."""
    if request.param == "file":
        return lambda: FileNvm(str(tmp_path / "nvm"), PAGES, PAGE)
    memory = MemoryNvm(PAGES, PAGE)

    def again() -> Nvm:
        reopened = MemoryNvm(PAGES, PAGE)
        reopened.unpack(memory.packed())
        memory.image = reopened.image
        return reopened

    return again


def read(nvm: Nvm, address: int, length: int) -> bytes:
    """Bytes of a memory."""
    buffer = bytearray(length)
    nvm.read_into(address, buffer)
    return bytes(buffer)


def close(nvm: Nvm) -> None:
    """Let go of a memory's file."""
    if isinstance(nvm, FileNvm):
        nvm.close()


def test_memory_begins_blank(make: Callable[[], Nvm]) -> None:
    """A new memory is all ones."""
    nvm = make()
    assert b"\xff" * (PAGES * PAGE) == read(nvm, 0, PAGES * PAGE)
    close(nvm)


def test_memory_keeps_what_is_written(make: Callable[[], Nvm]) -> None:
    """What was written is there when the memory is opened again; the rest is blank."""
    nvm = make()
    nvm.write(PAGE - 8, b"abcdefgh")
    nvm.write(PAGE, bytes(16))
    close(nvm)
    nvm = make()
    assert b"\xffabcdefgh" + bytes(16) + b"\xff" == read(nvm, PAGE - 9, 26)
    close(nvm)


def test_erasing_a_page_leaves_its_neighbours(make: Callable[[], Nvm]) -> None:
    """An erase sets one page to ones, and it can be written again."""
    nvm = make()
    for page in range(PAGES):
        nvm.write(page * PAGE, b"12345678")
    nvm.erase(1)
    nvm.write(PAGE + 8, b"87654321")
    close(nvm)
    nvm = make()
    assert [b"12345678", b"\xff" * 8, b"12345678"] == [
        read(nvm, page * PAGE, 8) for page in range(PAGES)
    ]
    assert b"87654321" == read(nvm, PAGE + 8, 8)
    close(nvm)


@pytest.mark.parametrize(("address", "data"), [(4, bytes(8)), (0, bytes(4)), (8, bytes(8))])
def test_flash_manners_are_enforced(address: int, data: bytes) -> None:
    """Units that are not whole, not aligned, or written already are refused."""
    nvm = MemoryNvm(1)
    nvm.write(8, bytes(8))
    with pytest.raises(ValueError, match="a flash writes"):
        nvm.write(address, data)


def test_abstract_memory_does_nothing() -> None:
    """The base says what a memory has to do and does none of it."""
    with pytest.raises(NotImplementedError):
        Nvm().read_into(0, bytearray(1))
    with pytest.raises(NotImplementedError):
        Nvm().write(0, b"")
    with pytest.raises(NotImplementedError):
        Nvm().erase(0)
