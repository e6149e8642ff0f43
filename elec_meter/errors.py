"""The errors of the meter. Whatever a user can cause carries one plain sentence."""


class MeterError(ValueError):
    """Root of the tree: the meter cannot do what was asked."""


class ConfigError(MeterError):
    """The configuration document is refused; the sentence names the path and the reason.

    Example scenarios: a misspelt key; a switch time of 25:00; a screen that shows no OBIS code; two
    gas units with one serial.
    """


class TimeRunsBackwardsError(MeterError):
    """A cold start found a clock that is behind what the directory already knows.

    Example scenarios: the computer's battery is flat and it believes that it is 1970; a replay was
    started before the end of the last one.
    """


class ClockError(MeterError):
    """The clock cannot be changed as asked; it runs on as before.

    Example scenarios: an adjustment by an hour; an adjustment of a clock that does not know the
    time; a head end's time that is a minute away.
    """


class TariffError(MeterError):
    """A price or a quantity makes no sense to a tariff. Nothing was changed.

    Example scenarios: a list of half-hourly prices that begins at 10:15; a price of a million
    pounds; a rate that the tariff does not have; a negative quantity.
    """


class LedgerError(MeterError):
    """The program asked for a booking that makes no sense. Nothing was booked.

    Example scenarios: a negative energy; a channel that does not exist; an instant before the first
    power-up.
    """


class NotAllowedError(MeterError):
    """The caller's level may not do this; nothing was changed.

    Example scenarios: a reader sets the clock; an installer changes the tariff.
    """


class ReceiverMissingError(MeterError):
    """No unit can be paired, because nothing would hear it.

    Example scenarios: a file without a table [host.collector]; one whose receivers are still to be
    bought.
    """


class DemandLockedError(MeterError):
    """Maximum demand was reset too recently to be reset again.

    Example scenarios: the button was pressed twice; a head end repeats its command.
    """


class ContactorError(MeterError):
    """The contactor cannot do this now; it stays as it is.

    Example scenarios: it is to be armed and is closed; a person wants to close what nobody has
    armed; the meter has no contactor.
    """


class TerminalError(MeterError):
    """A terminal cannot do this; it stays as it is.

    Example scenarios: terminal 3 is to be switched on and counts pulses; a boost of a relay that
    allows none; a calendar switches the relay that is to be switched by hand.
    """


class StorageError(MeterError):
    """The data directory cannot be used as asked.

    Example scenarios: no permission to write there; the disk is full.
    """


class NotADataDirectoryError(StorageError):
    """There is something else where the data should be; nothing was touched.

    Example scenarios: the path is a file; `meter.sqlite` is another program's database, or a
    picture; reading was asked for and the directory is empty.
    """


class DirectoryInUseError(StorageError):
    """Another process has the directory open for writing.

    Example scenarios: a second `elec-meter run` on the same directory.
    """


class NewerSchemaError(StorageError):
    """A later version of this program wrote the directory; nothing was touched.

    Example scenarios: the program was downgraded.
    """


class CorruptError(StorageError):
    """The database is damaged and cannot be read as one; `elec-meter repair` saves what it can.

    Example scenarios: the file was cut short by a full disk; a sector went bad.
    """


class CheckpointFailedError(StorageError):
    """A checkpoint did not become durable: nothing that it held may be served.

    Nothing is lost yet: all of it waits, and the next checkpoint tries again.

    Example scenarios: the disk is full; a quota is used up.
    """


class StorageLostError(CheckpointFailedError):
    """What was not durable is lost, and no checkpoint will succeed any more.

    Opening the directory again resumes at the last durable instant.

    Example scenarios: the disk was full for weeks; it was unplugged; the database was damaged while
    it was in use.
    """


class RepairError(StorageError):
    """A damaged directory cannot be repaired; nothing was touched.

    Example scenarios: the registers are on a sector that went bad, or contradict each other; the
    file is only its beginning.
    """


class LoadSeriesError(MeterError):
    """A file of half-hourly readings is refused; the sentence names file, line and reason.

    Example scenarios: a half-hour is missing or occurs twice; a value is `Null`; the column does
    not exist; the file is a picture.
    """


class RecordingError(MeterError):
    """A file of recorded input is refused; the sentence names the file and the reason.

    Example scenarios: a waveform without a sample rate; a telegram line that is not hexadecimal.
    """


class ControlError(MeterError):
    """The control socket, or what came through it, is of no use.

    Example scenarios: a request that is no JSON or has a misspelt field; a key that named another
    order before; a socket whose path is too long; a meter that ends the connection.
    """


class PairingRefusedError(ControlError):
    """A step of a pairing is refused; another label or dial may do.

    Example scenarios: a label that was misread; a channel that another unit feeds; a serial of a
    meter with a line break.
    """


class NotRunningError(MeterError):
    """Only a running meter can do this, and none runs on the directory.

    Example scenarios: its clock is to be set; the meter was stopped a moment ago.
    """


class PortInUseError(MeterError):
    """A TCP port that the meter should listen on is taken.

    Example scenarios: another meter runs on this computer.
    """


class PlotError(MeterError):
    """A picture cannot be drawn as asked.

    Example scenarios: a file that ends neither in .png nor in .svg; matplotlib is not installed.
    """


class ExportError(MeterError):
    """Half-hours cannot be written in the form that is asked for.

    Example scenarios: Parquet without pyarrow; NEM12 of a meter with ten-minute rows.
    """


class EstateError(MeterError):
    """An estate of meters cannot be simulated or added up as asked.

    Example scenarios: no meters at all; a directory of something else; a block that is damaged.
    """
