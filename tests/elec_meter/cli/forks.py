"""Commands as processes of their own that need not read the packages from disk first.

A process that has them in memory forks one for each command: its words, its streams and its exit
code are those of a command that a user starts, at a tenth of the work. Run as a module, this is
that process; `run` asks it.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import IO, Never

_REPOSITORY = Path(__file__).parents[3]
_lock = threading.Lock()
_server: subprocess.Popen[str] | None = None


def run(module: str, words: list[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
    """What `python -m MODULE WORDS...` prints, and its exit code.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    with (
        _lock,
        tempfile.TemporaryFile("w+", encoding="utf-8") as stdout,
        tempfile.TemporaryFile("w+", encoding="utf-8") as stderr,
    ):
        pid, code = _forked(module, words, (stdout, stderr), timeout_s)
        if code is None:
            raise subprocess.TimeoutExpired([module, *words], timeout_s, str(pid))
        for stream in (stdout, stderr):
            stream.seek(0)
        return subprocess.CompletedProcess([module, *words], code, stdout.read(), stderr.read())


def _forked(
    module: str, words: list[str], streams: tuple[IO[str], IO[str]], timeout_s: float
) -> tuple[int, int | None]:
    """Its process and its exit code; None when it had to be killed."""
    server = _started()
    assert server.stdin is not None
    assert server.stdout is not None
    paths = [f"/proc/{os.getpid()}/fd/{stream.fileno()}" for stream in streams]
    print(json.dumps([module, words, *paths]), file=server.stdin, flush=True)
    pid = int(server.stdout.readline())
    if not select.select([server.stdout], [], [], timeout_s)[0]:
        os.kill(pid, signal.SIGKILL)
        server.stdout.readline()
        return pid, None
    return pid, int(server.stdout.readline())


def _started() -> subprocess.Popen[str]:
    global _server  # noqa: PLW0603 - one for all tests of this process, whoever asks first
    if _server is None:
        _server = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=_REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        atexit.register(_stop, _server)
    return _server


def _stop(server: subprocess.Popen[str]) -> None:
    assert server.stdin is not None
    server.stdin.close()
    server.wait()


def _serve() -> None:
    """Fork for every line until there are no more."""
    for line in iter(sys.stdin.readline, ""):
        module, words, stdout, stderr = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(module, words, stdout, stderr)
        _say(pid)
        _, status = os.waitpid(pid, 0)
        _say(os.waitstatus_to_exitcode(status))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _become(module: str, words: list[str], stdout: str, stderr: str) -> Never:
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, stdout, os.O_WRONLY | os.O_APPEND),
        (2, stderr, os.O_WRONLY | os.O_APPEND),
    ):
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = [module, *words]
    code: object = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = 0 if end.code is None else end.code
    except BaseException:  # noqa: BLE001 - what the interpreter does with any
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)  # tidying all that memory takes longer than most


if __name__ == "__main__":
    os.environ["COLUMNS"] = "200"
    import elec_meter.cli.main
    import elec_meter.demo.run
    import elec_meter.runtime  # noqa: F401 - what most commands need stays in memory
    from elec_meter.metrology.pipeline import warm_cache

    warm_cache()
    gc.freeze()
    _serve()
