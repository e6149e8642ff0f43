from __future__ import annotations

from typing import Any

import pytest

from tests.micropython.stand_ins import esp32, stm32
from tests.micropython.stand_ins.radio import Radio
from tests.micropython.stand_ins.world import World

CONTROL = 0x58004014
PLACE = 0x080AC000


def port(name: str) -> dict[str, Any]:
    """The modules of a simulated port."""
    world = World()
    radio = Radio(world, asks_before_reads=True)
    if name == "stm32":
        return stm32.modules(world, radio, stm32.Flash())
    return esp32.modules(world, radio, esp32.Flash())


@pytest.mark.parametrize("name", ["stm32", "esp32"])
def test_what_a_port_lacks_is_missing(name: str) -> None:
    """A module has the names that the firmware may use and no others."""
    modules = port(name)
    for module in modules.values():
        with pytest.raises(AttributeError):
            module.no_such_name  # noqa: B018  reading it is what fails
    pin = modules["machine"].Pin({"stm32": "A0", "esp32": 3}[name], 0)
    with pytest.raises(TypeError):
        pin.irq(edge=1)


def test_only_one_port_has_hard_interrupts() -> None:
    """The ESP32's handlers are called between two steps of other code."""
    with pytest.raises(TypeError):
        port("esp32")["machine"].Pin(3, 0).irq(handler=print, trigger=3, hard=True)
    port("stm32")["machine"].Pin("A0", 0).irq(handler=print, trigger=3, hard=True)


def unlocked() -> Any:
    """Registers whose flash is unlocked and belongs to this core."""
    registers = port("stm32")["machine"].mem32
    for semaphore in (2, 7):
        assert 0x80000400 == registers[0x58001480 + 4 * semaphore]
    for key in stm32.Flash.KEYS:
        registers[0x58004008] = key
    return registers


def test_flash_takes_a_double_word_once() -> None:
    """In two halves, where the port leaves room, after it was told to."""
    registers = unlocked()
    with pytest.raises(ValueError, match="not begun"):
        registers[PLACE] = 1
    registers[CONTROL] = 1
    registers[PLACE] = 1
    registers[PLACE + 4] = 2
    registers[PLACE] = 1
    with pytest.raises(ValueError, match="written once"):
        registers[PLACE + 4] = 3
    with pytest.raises(ValueError, match="simulated"):
        registers[0x08000000] = 1


def test_flash_is_nobodys_without_its_semaphores() -> None:
    """The radio's core may be using it."""
    registers = port("stm32")["machine"].mem32
    for key in stm32.Flash.KEYS:
        registers[0x58004008] = key
    with pytest.raises(ValueError, match="radio"):
        registers[CONTROL] = 1
    with pytest.raises(ValueError, match="locked"):
        port("stm32")["machine"].mem32[CONTROL] = 1


def test_a_partition_is_written_once_between_erases() -> None:
    """And erased by whole pages."""
    (partition,) = port("esp32")["esp32"].Partition.find(1, label="pulse")
    partition.writeblocks(1, b"12345678", 8)
    with pytest.raises(ValueError, match="written once"):
        partition.writeblocks(1, b"12345678", 8)
    partition.ioctl(6, 1)
    partition.writeblocks(1, b"12345678", 8)


def test_a_radio_wants_to_be_active_and_short_adverts() -> None:
    """It has 31 bytes, and no setting that the documentation does not name."""
    radio = Radio(World(), asks_before_reads=True)
    with pytest.raises(OSError, match="19"):
        radio.gap_advertise(100_000, b"", connectable=False)
    radio.active(True)
    with pytest.raises(ValueError, match="31 bytes"):
        radio.gap_advertise(100_000, bytes(32), connectable=False)
    with pytest.raises(ValueError, match="interval"):
        radio.gap_advertise(10_000, b"", connectable=False)
    with pytest.raises(ValueError, match="param"):
        radio.config(secure=True)


def test_an_advert_has_as_many_events_as_fit() -> None:
    """The first at once, and another after every interval."""
    world = World()
    radio = Radio(world, asks_before_reads=True)
    radio.active(True)
    radio.gap_advertise(1_000_000, b"x", connectable=False)
    world.run(3_500_000)
    radio.gap_advertise(None)
    assert [(0, b"x", 4, False)] == radio.sent


def test_light_sleep_wants_a_radio_that_is_off() -> None:
    """And pins whose interrupts are not heard."""
    world = World()
    radio = Radio(world, asks_before_reads=True)
    modules = esp32.modules(world, radio, esp32.Flash())
    radio.active(True)
    with pytest.raises(ValueError, match="controller"):
        modules["machine"].lightsleep(10)
    radio.active(False)
    modules["machine"].Pin(3, 0).irq(handler=print)
    with pytest.raises(ValueError, match="without end"):
        modules["machine"].lightsleep(10)
