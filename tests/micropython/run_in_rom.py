"""Run a module from an image that lies outside the heap, as code lies in a board's flash.

IMAGE MODULE ARGUMENTS: the ROMFS image, and the module in it whose `main` is called. The only
memory that this interpreter has besides its heap are threads' stacks: the image goes to the far end
of one whose thread does nothing.
"""

import _thread
import gc
import sys
import time

import uctypes
import vfs

STACK = 512 * 1024
GUARD = 16 * 1024  # of that, what the idle thread is kept from


def mapped():
    """Return the writable ranges of this process."""
    ranges = set()
    with open("/proc/self/maps") as lines:  # noqa: PTH123  MicroPython has no pathlib
        for line in lines:
            place, rights = line.split(" ")[:2]
            if rights == "rw-p":
                ranges.add(tuple([int(end, 16) for end in place.split("-")]))
    return ranges


def stack_of_a_thread():
    """Return where the stack of an idle thread begins."""
    before = mapped()
    lock = _thread.allocate_lock()
    lock.acquire()
    _thread.stack_size(STACK)
    _thread.start_new_thread(lock.acquire, ())
    while True:
        for start, end in mapped() - before:
            if end - start >= STACK - GUARD:
                return start
        time.sleep_ms(1)


def mount(path):
    """Put an image where its code can be run."""
    start = stack_of_a_thread() + GUARD
    with open(path, "rb") as image:  # noqa: PTH123  MicroPython has no pathlib
        length = image.readinto(uctypes.bytearray_at(start, STACK - 4 * GUARD))
    vfs.mount(vfs.VfsRom(uctypes.bytearray_at(start, length)), "/rom")
    sys.path.insert(0, "/rom")


if __name__ == "__main__":
    gc.threshold(2048)
    mount(sys.argv[1])
    gc.collect()
    module = __import__(sys.argv[2])
    gc.collect()
    module.main(sys.argv[3:])
