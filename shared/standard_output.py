"""Standard output that may find no room: one plain sentence, as of any other file."""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
ESCAPED: Final = "halfhourly.escaped"
"""What to do with letters that an encoding has not, as `str.encode` takes it: nothing is lost."""


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Letters that an encoding has not, as JSON writes them: that is JSON in a text, too."""
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(ESCAPED, _escaped)


def _take_every_letter() -> None:
    """Let a terminal or file that is not UTF-8 have the rest of what is printed."""
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and codecs.lookup(out.encoding).name != "utf-8":
        out.reconfigure(errors=ESCAPED)


@contextmanager
def writable_output() -> Iterator[None]:
    """Run a command that prints.

    Raises:
        click.ClickException: standard output could not be written. That of a reader who has seen
            enough is left to click, which ends quietly.
    """
    _take_every_letter()
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None or error.errno not in _NO_ROOM:
            raise
        _forget_output()
        sentence = f"Standard output cannot be written: {error.strerror}."
        raise click.ClickException(sentence) from error


class PrintingGroup(click.Group):
    """Commands whose output may find no room, that of `--help` too: see `writable_output`."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """See `click.Command`; `--help` and `--version` print here."""
        with writable_output():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """See `click.Group`."""
        with writable_output():
            return super().invoke(ctx)


def _forget_output() -> None:
    """Let what standard output has not taken go nowhere, so that Python ends in peace."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    finally:
        os.close(nowhere)
