"""The command `pulse-unit` as a test runs it."""

from __future__ import annotations

from click.testing import CliRunner, Result

from pulse_unit.cli.main import main


def run(*arguments: str, text: str | bytes | None = None, columns: str = "200") -> Result:
    """Run the command; an exception other than an exit is a failure of the test."""
    result = CliRunner().invoke(main, arguments, input=text, env={"COLUMNS": columns})
    if not isinstance(result.exception, SystemExit | None):
        raise result.exception
    return result
