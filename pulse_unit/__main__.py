"""`python -m pulse_unit` is the command `pulse-unit`."""

from pulse_unit.cli.main import main

if __name__ == "__main__":
    main(prog_name="pulse-unit")
