"""A real broker beside a test: mosquitto, on the loopback, with or without TLS and passwords."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_mosquitto = pytest.mark.skipif(
    MOSQUITTO is None, reason="mosquitto is not installed; `make test` installs it"
)


@dataclass
class Broker:
    """One that runs, or has been stopped."""

    config: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it, and wait until it listens."""
        assert MOSQUITTO is not None
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(500):
            with socket.socket() as line:
                if not line.connect_ex(("127.0.0.1", self.port)):
                    return
            assert self.process.poll() is None, "mosquitto has ended"
            time.sleep(0.02)
        raise AssertionError("mosquitto does not listen")

    def stop(self) -> None:
        """End it, as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


def free_port() -> int:
    """A port that was free a moment ago: mosquitto cannot choose one itself."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


@contextmanager
def broker(directory: Path, *lines: str) -> Iterator[Broker]:
    """A broker with these further lines in its configuration."""
    port = free_port()
    config = directory / "mosquitto.conf"
    user = pwd.getpwuid(os.geteuid()).pw_name  # as root it would go on as somebody else
    access = () if any("allow_anonymous" in line for line in lines) else ("allow_anonymous true",)
    text = (f"listener {port} 127.0.0.1", f"user {user}", "persistence false", *access, *lines)
    config.write_text("\n".join([*text, ""]))
    made = Broker(config, port)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def password_lines(directory: Path, user: str, password: str) -> tuple[str, ...]:
    """What lets one user in, and nobody else."""
    path = directory / "passwords"
    path.write_text("")
    path.chmod(0o600)
    subprocess.run(
        ["mosquitto_passwd", "-b", str(path), user, password], check=True, capture_output=True
    )
    return ("allow_anonymous false", f"password_file {path}")


def trusting(path: Path) -> ssl.SSLContext:
    """A client that trusts one certificate."""
    return ssl.create_default_context(cafile=str(path))
