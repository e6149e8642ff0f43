"""A meter that does not run: what it is to be from its next start on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from collector import Readings
from shared.timegrid import from_unix_s

from .access import GATE_KEY, Gate, Level, level_to_change
from .config import MeterConfig, part_names
from .configured import changed_parts, refuse_unworkable, require_level
from .errors import ConfigError, NotADataDirectoryError
from .events import EventCode
from .pulse_units import Units, units_of
from .switchgear import SWITCHGEAR_KEY, kept, refuse_unopenable
from .terminals import refuse_other_weights

if TYPE_CHECKING:
    from .storage import Storage

AUTHOR: Final = "the command line"


class Written(NamedTuple):
    """The number of a configuration, and the parts in which it differs from the one before."""

    number: int
    changed: list[str]


def check(config: MeterConfig, now: datetime) -> None:
    """Refuse a document with which no meter could begin at an instant of the host's time.

    Raises:
        ConfigError: as for `apply_config`, but for what makes no sense: a meter begins with it.
    """
    refuse_unworkable(config, config, Units(), now)


def check_whole(config: MeterConfig, now: datetime) -> None:
    """As `check`, of a document that is being written: all of it is to make sense.

    Raises:
        ConfigError: as for `apply_config`.
    """
    refuse_unworkable(config, config, Units(), now, part_names())


def apply_config(
    storage: Storage,
    config: MeterConfig,
    *,
    level: Level = Level.FACTORY,
    author: str = AUTHOR,
) -> Written:
    """Write a configuration that comes into force at the next power-up.

    It is durable when this returns, and dated at the last durable instant: nobody knows what the
    meter's time will be at its start.

    Raises:
        NotADataDirectoryError: no meter was ever here.
        ConfigError: no meter could work with it, or it takes a paired unit away.
        NotAllowedError: the level may not change a part that it changes.
        CheckpointFailedError: it could not be made durable.
    """
    current, durable_s = storage.load_config(), storage.load().durable_s
    if current is None or durable_s is None:
        raise NotADataDirectoryError(f"{storage.directory} holds no meter's data yet")
    changed = changed_parts(current, config)
    if not changed:
        return Written(storage.config_number, [])
    for part in changed:
        require_level(level, level_to_change(part), f"change {part}")
    at = from_unix_s(durable_s)
    refuse_unworkable(current, config, units_of(Readings(storage.connection)), at)
    contactor, terminals = kept(storage.get_state(SWITCHGEAR_KEY))
    refuse_unopenable(current, config, contactor)
    refuse_other_weights(config, terminals)
    storage.mark_config_in_force(storage.config_in_force)
    number = storage.save_config(config, durable_s, author=author, level=level)
    text = f"configuration {number} was written by {author} for the next start"
    storage.record_event(EventCode.CONFIGURATION_CHANGED, f"{text}: {', '.join(changed)}", at)
    storage.commit()
    return Written(number, changed)


def roll_back(
    storage: Storage, number: int, *, level: Level = Level.FACTORY, author: str = AUTHOR
) -> Written:
    """As `apply_config`, of an earlier configuration.

    Raises:
        ConfigError: there is none of this number, or as for `apply_config`.
    """
    config = storage.load_config(number)
    if config is None:
        raise ConfigError(f"there is no configuration {number}")
    return apply_config(storage, config, level=level, author=f"{author}, back to {number}")


def gate_of(storage: Storage) -> Gate:
    """Who is let in by a meter that does not run, or has not yet run for the first time."""
    config = storage.load_config() or MeterConfig()
    return Gate(lambda: config.serial, storage.record_event, storage.get_state(GATE_KEY))


def change_password(
    storage: Storage,
    of: Level,
    salt: bytes,
    key: bytes,
    *,
    level: Level = Level.FACTORY,
    author: str = AUTHOR,
    now: datetime | None = None,
) -> None:
    """Let a level have another password; it is durable, and logged, when this returns.

    A meter that has not yet run may be given one: `now` dates that.

    Raises:
        NotADataDirectoryError: no meter was ever here, and nobody says when it is.
        NotAllowedError: the level may not change that password.
        VerifierError: another salt than the meter's, no key, or a password that everybody knows.
        CheckpointFailedError: it could not be made durable.
    """
    gate, durable_s = gate_of(storage), storage.load().durable_s
    at = now if durable_s is None else from_unix_s(durable_s)
    if at is None:
        raise NotADataDirectoryError(f"{storage.directory} holds no meter's data yet")
    gate.change_verifier(of, salt, key, at, level=level, author=author)
    storage.put_state(GATE_KEY, gate.packed())
    storage.commit()
