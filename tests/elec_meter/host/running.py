"""A meter that runs as its own process, on pseudo-terminals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from elec_meter import Storage
from elec_meter.access import Level, stored_key
from elec_meter.at_rest import change_password
from elec_meter.sampling import ConstantLoad, SampleFrame, SyntheticMains, encode_frame
from tests.elec_meter.cli.commands import REPOSITORY
from tests.elec_meter.flag.programmer import PASSWORDS, SALT, known_key
from tests.elec_meter.sampling.front_end import ANCHOR

PAIRS = 200


def with_passwords(data_dir: Path) -> None:
    """Give every level its password, before the first start."""
    with Storage.open(data_dir) as storage:
        for level, password in PASSWORDS.items():
            key = stored_key(known_key(f"my {password}", Level(level)))
            change_password(storage, level, SALT, key, now=datetime.now(UTC))


class Running:
    """`elec-meter run`, and the lines that it tells."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._heard: SimpleQueue[str | None] = SimpleQueue()
        threading.Thread(target=self._hear, daemon=True).start()

    def told(self, text: str, within_s: float = 60) -> str:
        """The next line that has this text, from what was told since the last one was found."""
        end_s = time.monotonic() + within_s
        with suppress(Empty):
            while (line := self._heard.get(timeout=max(0, end_s - time.monotonic()))) is not None:
                self.lines.append(line)
                if text in line:
                    return line
        raise AssertionError(f"{text!r} is not in {self.lines}")

    def _hear(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._heard.put(line)
        self._heard.put(None)

    def stop(self) -> None:
        """As systemd does; it ends with 0 and says that all is durable."""
        self.process.send_signal(signal.SIGTERM)
        self.told("has stopped, and all is durable")
        assert 0 == self.process.wait(60)


@contextmanager
def running(file: Path, data_dir: Path) -> Iterator[Running]:
    """The process; what is still running at the end is killed."""
    words = [sys.executable, "-m", "elec_meter", "run", "--config", file, "--data", data_dir]
    with subprocess.Popen(
        list(map(str, words)),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


class LiveFrontEnd:
    """A front end that says 20 kW in real time, a Wh in 180 ms, until it is unplugged.

    Attributes:
        port: a link to its device, as there is one by its id.
    """

    def __init__(self, port: Path) -> None:
        self.port = port
        self._source = SyntheticMains(seed=3, anchor_utc=ANCHOR, load=ConstantLoad(20_000.0))
        self._number = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def plug_in(self) -> None:
        """Be there, and say what is measured."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port.symlink_to(os.ttyname(self._slave))
        self._stop.clear()
        self._thread = threading.Thread(target=self._say)
        self._thread.start()

    def unplug(self) -> None:
        """Be gone."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop.set()
        thread.join()
        self.port.unlink()
        os.close(self._slave)
        os.close(self._master)

    def _say(self) -> None:
        while not self._stop.wait(PAIRS / self._source.rate_hz):
            first = self._number * PAIRS
            block = self._source.block(first, PAIRS)
            frame = SampleFrame(
                self._number % 256, self._source.rate_hz, first, block.voltage, block.current
            )
            try:
                os.write(self._master, encode_frame(frame))
            except BlockingIOError:
                continue  # nobody listens
            self._number += 1

    def __enter__(self) -> LiveFrontEnd:
        self.plug_in()
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()


def until(found: object, data_dir: Path, within_s: float = 60) -> None:
    """Wait until a directory holds, for whoever reads it, what is looked for."""
    assert callable(found)
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        with Storage.open(data_dir, read_only=True) as seen:
            if found(seen):
                return
        time.sleep(0.1)
    raise AssertionError("it was never there")
