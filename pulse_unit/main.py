"""What a board runs: a unit, and sleep until it has something to do."""

from pulse_unit.board import Board
from pulse_unit.config import UnitConfig
from pulse_unit.unit import PulseUnit


def run(board: Board, config: UnitConfig) -> PulseUnit:
    """Boot a unit and serve it for as long as the board has power; return it then.

    Raises:
        UnitError: as `PulseUnit`; the board resets itself or stays off the air.
    """
    unit = PulseUnit(board, config)
    while board.is_powered():
        unit.handle_timer(board.sleep_until(unit.next_timer()))
        board.serve(unit)
    return unit
