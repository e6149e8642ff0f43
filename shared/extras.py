"""How whoever has a clone of this repository installs what a part of it needs besides."""

from __future__ import annotations

import shlex
import sys


def installing(extra: str) -> str:
    """The command that does it, in the clone and for the interpreter that runs.

    Args:
        extra: of `[project.optional-dependencies]`.
    """
    # Debian's python3 has no ensurepip: an environment made by it may have no pip of its own. Where
    # one is activated, `python3` is the environment's; so what it was made from is named in full.
    pip = shlex.quote(f"{sys.base_prefix}/bin/python3")
    python = shlex.quote(sys.executable)
    return f"{pip} -m pip --python {python} install -e '.[{extra}]'"
