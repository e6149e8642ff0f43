"""The edge of contactor, button and terminals."""

from __future__ import annotations

from typing import Any

from elec_meter.hal import BUTTON, CONTACTOR, GpioBlock, TerminalBlock, VirtualBlock

from .base import Edge, Host


class TerminalsEdge(Edge):
    """A terminal block on GPIO lines, or in memory."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._block: TerminalBlock | None = None

    def arguments(self) -> dict[str, Any]:
        """The block, whose lines are ours from now on; see `Edge.arguments`.

        Raises:
            ConfigError: the library is missing.
            TerminalError: the lines cannot be had.
        """
        config = self.host.config.terminals
        assert config is not None  # the edge is there because its table is
        if config.chip is None:
            self._block = VirtualBlock(self.host.now)
        else:
            outputs = {each.terminal: each.line for each in config.outputs}
            inputs = {each.terminal: each.line for each in config.inputs}
            if config.contactor is not None:
                outputs[CONTACTOR] = config.contactor
            if config.button is not None:
                inputs[BUTTON] = config.button
            self._block = GpioBlock(self.host.device(config.chip), outputs, inputs)
        return {"block": self._block}

    def close(self) -> None:
        """See `Edge.close`."""
        block, self._block = self._block, None
        if block is not None:
            block.close()
