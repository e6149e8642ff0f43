"""The command `pulse-unit`. Exit codes: 0 done, 1 refused with one plain sentence, 2 misuse."""

import click

from pulse_unit.cli.battery import battery
from pulse_unit.cli.firmware import firmware
from pulse_unit.cli.label import label
from pulse_unit.cli.run import run
from pulse_unit.cli.sim import sim
from pulse_unit.cli.telegram import telegram
from shared.standard_output import PrintingGroup


@click.group(cls=PrintingGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="halfhourly")
def main() -> None:
    """Make, try and plan what a pulse unit is and says, on a PC."""


for command in (battery, firmware, label, run, sim, telegram):
    main.add_command(command)


if __name__ == "__main__":
    main()
