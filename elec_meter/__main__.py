"""`python -m elec_meter` is `elec-meter`."""

from elec_meter.cli.main import main

main(prog_name="elec-meter")
