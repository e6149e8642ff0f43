"""Standard output that may find no room: one plain sentence, as of any other file."""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import click

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


_ESCAPED: Final = "halfhourly.escaped"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Letters that an encoding has not, as JSON writes them: that is JSON in a text, too."""
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(_ESCAPED, _escaped)


def _take_every_letter() -> None:
    """Let a terminal or file that is not UTF-8 have the rest of what is printed."""
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and codecs.lookup(out.encoding).name != "utf-8":
        out.reconfigure(errors=_ESCAPED)


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
        forget_output()
        sentence = f"Standard output cannot be written: {error.strerror}."
        raise click.ClickException(sentence) from error


def lasting_output(who: str) -> Callable[[str], None]:
    """What prints the lines of a program that goes on though nobody takes them any more.

    Args:
        who: goes on, such as `the meter`; that is said once on standard error.
    """
    is_lost = False

    def tell(line: str) -> None:
        nonlocal is_lost
        if is_lost:
            return
        try:
            click.echo(line)
        except OSError as error:
            is_lost = True
            forget_output()
            sentence = f"what is told cannot be written: {error.strerror}; {who} goes on."
            with suppress(OSError):
                click.echo(sentence, err=True)

    return tell


def forget_output() -> None:
    """Let what standard output has not taken go nowhere, so that Python ends in peace."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    finally:
        os.close(nowhere)
