"""How much RAM a board's firmware takes: BOARD FOLDER, where the folder has ``firmware.romfs``.

MicroPython only. Prints the bytes that loading it takes and those that a unit at work adds, after
the interpreter's own account of its tables of names before and after loading: they grow in steps of
many kilobytes, and are no measure of a firmware. Its code runs where it lies, outside the heap.
"""

import gc
import sys

from micropython import qstr_info

from tests.micropython.board_life import Bench, write_unit_file
from tests.micropython.run_in_rom import mount
from tests.micropython.stand_ins import esp32 as esp32_port
from tests.micropython.stand_ins import stm32 as stm32_port


def taken():
    """Return how much of the heap is in use."""
    gc.collect()
    return gc.mem_alloc()


def main(name, folder):
    """Load the firmware and build its unit."""
    flash = stm32_port.Flash() if name == "stm32wb" else esp32_port.Flash()
    if name == "stm32wb":  # the simulated cells are not the board's RAM
        for page in range(20):
            flash.cells[0x080AC000 // 4096 + page] = bytearray(b"\xff" * 4096)
    bench = Bench(name, flash)
    write_unit_file(folder)
    bench.put_modules()
    mount("firmware.romfs")
    qstr_info()
    before = taken()
    import firmware

    loaded = taken()
    qstr_info()
    told = firmware.UnitFile()
    board = (firmware.Stm32wbBoard if name == "stm32wb" else firmware.Esp32Board)(told)
    unit = firmware.PulseUnit(board, told.config)
    board.serve(unit)
    working = taken()
    print(loaded - before, working - loaded)  # noqa: T201  the output is what is wanted


main(sys.argv[1], sys.argv[2])
