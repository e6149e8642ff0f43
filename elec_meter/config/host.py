"""The table `[host]` of a configuration file: how this computer is wired to the meter.

It is the computer's: `elec-meter run` alone reads it, it never reaches the meter's own document,
and no port shows or changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Annotated, Final, Literal

from msgspec import Meta

from .address import host_and_port, shares_port
from .base import HOST_NAME, Document, refuse_repeated
from .slot import AddonConfig
from .switchgear import MAX_TERMINALS

_PATH: Final = Meta(min_length=1, max_length=4_096)
_HOST_NAME: Final = Meta(pattern=HOST_NAME)
_LINE: Final = Meta(ge=0, le=1_023, description="The line's offset on the chip.")

PathText = Annotated[str, _PATH]


def _refuse_bad_listener(listen: str | None, certificate: str | None, key: str | None) -> None:
    """Raise ValueError for a TCP port that could never open as it is written."""
    if (certificate is None) != (key is None):
        raise ValueError("'certificate' and 'key' go together")
    if certificate is not None and listen is None:
        raise ValueError("a certificate is for 'listen'")
    if listen is not None:
        host_and_port(listen)


class MainsHost(Document, frozen=True):
    """Where samples come from: exactly one of `port`, `recording` and `synthetic_w`.

    Attributes:
        port: the serial device of the front end.
        baud: bits a second on it.
        silent_s: seconds without a frame after which it is lost.
        recording: a waveform (npz, wav or csv) that is measured again and again instead.
        rate_hz: sample rate of a csv recording.
        bits: width of a recording's converters; as of its counts, 24 for a csv, if None.
        synthetic_w: a house that does not exist draws so much instead; below 0 it exports.
    """

    port: PathText | None = None
    baud: Annotated[int, Meta(ge=9_600, le=12_000_000)] = 921_600
    silent_s: Annotated[int, Meta(ge=1, le=60)] = 2
    recording: PathText | None = None
    rate_hz: Annotated[int, Meta(ge=2_000, le=32_000)] | None = None
    bits: Annotated[int, Meta(ge=16, le=24)] | None = None
    synthetic_w: Annotated[int, Meta(ge=-23_000, le=23_000)] | None = None

    def __post_init__(self) -> None:
        named = [self.port, self.recording, self.synthetic_w]
        if sum(each is not None for each in named) != 1:
            raise ValueError("exactly one of 'port', 'recording' and 'synthetic_w' must be there")
        for name in ("rate_hz", "bits"):
            if getattr(self, name) is not None and self.recording is None:
                raise ValueError(f"{name!r} is that of a recording")


class FlagHost(Document, frozen=True):
    """The FLAG port: on TCP, on a serial device at the meter, or both.

    Attributes:
        listen: HOST:PORT.
        certificate: a PEM file, with which every connection is encrypted.
        key: the PEM file of its key.
        optical: DEVICE, with `,8N1` where it has no parity of its own and `,A` for mode A.
    """

    listen: str | None = None
    certificate: PathText | None = None
    key: PathText | None = None
    optical: PathText | None = None

    def __post_init__(self) -> None:
        if self.listen is None and self.optical is None:
            raise ValueError("there must be a key 'listen' or 'optical'")
        _refuse_bad_listener(self.listen, self.certificate, self.key)


class DlmsHost(Document, frozen=True):
    """DLMS: on TCP, and in mode E of the FLAG port.

    Attributes:
        listen: HOST:PORT; without it there is mode E alone.
        clients: who may associate; all but the public need their credentials before.
        certificate: a PEM file, with which every connection on TCP is encrypted.
        key: the PEM file of its key.
    """

    listen: str | None = None
    clients: Annotated[
        tuple[Literal["public", "reader", "management"], ...], Meta(min_length=1, max_length=3)
    ] = ("public", "reader", "management")
    certificate: PathText | None = None
    key: PathText | None = None

    def __post_init__(self) -> None:
        refuse_repeated("client", self.clients)
        _refuse_bad_listener(self.listen, self.certificate, self.key)


class PanelHost(Document, frozen=True):
    """The web panel.

    Attributes:
        listen: HOST:PORT. Another than this computer's takes a certificate, or `insecure`.
        certificate: a PEM file, with which every connection is encrypted.
        key: the PEM file of its key.
        insecure: it may be open to a network in clear.
        names: host names by which it is asked for, beside this computer's own.
    """

    listen: str = "127.0.0.1:8062"
    certificate: PathText | None = None
    key: PathText | None = None
    insecure: bool = False
    names: Annotated[tuple[Annotated[str, _HOST_NAME], ...], Meta(max_length=16)] = ()

    def __post_init__(self) -> None:
        _refuse_bad_listener(self.listen, self.certificate, self.key)
        refuse_repeated("name", self.names)


class TerminalLine(Document, frozen=True):
    """A terminal and the line of the chip that it is on; 9 is the switched load."""

    terminal: Annotated[int, Meta(ge=1, le=9)]
    line: Annotated[int, _LINE]


class TerminalsHost(Document, frozen=True):
    """The terminal block on the lines of a GPIO chip. Without a chip it is memory only.

    Attributes:
        chip: its path.
        contactor: the line that closes the contactor.
        button: the line that the button pulls to ground.
        outputs: relays and pulse outputs.
        inputs: pulse inputs, contacts to ground.
    """

    chip: PathText | None = None
    contactor: Annotated[int, _LINE] | None = None
    button: Annotated[int, _LINE] | None = None
    outputs: Annotated[tuple[TerminalLine, ...], Meta(max_length=MAX_TERMINALS + 1)] = ()
    inputs: Annotated[tuple[TerminalLine, ...], Meta(max_length=MAX_TERMINALS)] = ()

    def __post_init__(self) -> None:
        named = [*self.outputs, *self.inputs]
        single = [each for each in (self.contactor, self.button) if each is not None]
        if self.chip is None and (named or single):
            raise ValueError("lines need a 'chip' that they are on")
        refuse_repeated("terminal", [str(each.terminal) for each in named])
        refuse_repeated("line", [str(each.line) for each in named] + [*map(str, single)])


class CollectorHost(Document, frozen=True):
    """What brings the telegrams of pulse units.

    Attributes:
        sticks: KIND:PORT of radio sticks.
        wires: ports of wired buses: a device or `socket://HOST:PORT`.
        ble: a Bluetooth adapter.
        replays: files of recorded telegrams.
        replay_delay_s: the most seconds from sending to the recorded time; None if not known.
    """

    sticks: Annotated[tuple[PathText, ...], Meta(max_length=8)] = ()
    wires: Annotated[tuple[PathText, ...], Meta(max_length=8)] = ()
    ble: PathText | None = None
    replays: Annotated[tuple[PathText, ...], Meta(max_length=64)] = ()
    replay_delay_s: Annotated[int, Meta(ge=0, le=86_400)] | None = None

    def __post_init__(self) -> None:
        ports: Sequence[str] = (*self.sticks, *self.wires)
        if not (ports or self.ble or self.replays):
            raise ValueError("nothing is named that brings telegrams")
        refuse_repeated("port", [each.partition(":")[2] for each in self.sticks])
        refuse_repeated("port", self.wires)


class HostConfig(Document, frozen=True):
    """What is plugged into this computer, and where it listens.

    A path that is not absolute begins where the file is. Each table opens the edge of its name.

    Attributes:
        data: the data directory, where the command does not name one.
        mains: what is measured.
        flag: the FLAG port.
        dlms: DLMS.
        panel: the web panel.
        addons: modules in the slot beside those of the meter's document.
        terminals: contactor, button and terminals.
        collector: pulse units.
    """

    mains: MainsHost
    data: PathText | None = None
    flag: FlagHost | None = None
    dlms: DlmsHost | None = None
    panel: PanelHost | None = None
    addons: Annotated[tuple[AddonConfig, ...], Meta(max_length=8)] | None = None
    terminals: TerminalsHost | None = None
    collector: CollectorHost | None = None

    def __post_init__(self) -> None:
        refuse_repeated("add-on", [each.name for each in self.addons or ()])
        for (name, listen), (another, other) in combinations(self.listeners, 2):
            if shares_port(listen, other):
                raise ValueError(f"{name} and {another} would both listen on {other}")

    @property
    def listeners(self) -> list[tuple[str, str]]:
        """The tables that listen on TCP, each with its HOST:PORT."""
        tables = {"flag": self.flag, "dlms": self.dlms, "panel": self.panel}
        return [
            (name, table.listen)
            for name, table in tables.items()
            if table is not None and table.listen is not None
        ]


class ConfigFile(Document, frozen=True):
    """What a file has beside the meter's document."""

    host: HostConfig
