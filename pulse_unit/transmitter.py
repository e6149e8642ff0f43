"""What leaves the unit enciphered: telegrams and adverts, each under a counter of its own."""

from pulse_unit.board import Board
from pulse_unit.errors import StoreError
from pulse_unit.store import ADVERT_LIMIT, MESSAGE_LIMIT, MUTE, ReservedCounter, Store
from shared.wire.advert import (
    advert_key,
    advertising_data,
    count_objects,
    seal_advert,
    state_objects,
)
from shared.wire.seal import SEND_NO_REPLY, seal_telegram
from shared.wire.telegram import PulseTelegram, encode_records, status_byte

BLOCK = 256  # counters that one record of the memory reserves


class Transmitter:
    """Seals what the unit says. A counter that is not persisted as used is not used."""

    def __init__(self, board: Board, store: Store) -> None:
        self._board = board
        self._is_mute = store.get(MUTE) != 0
        self._messages = ReservedCounter(store, MESSAGE_LIMIT, BLOCK)
        self._adverts = ReservedCounter(store, ADVERT_LIMIT, BLOCK)
        self._advert_key = (
            b"" if board.address is None else advert_key(board.aes, board.key, board.address)
        )

    def seal(
        self, telegram: PulseTelegram, history: int, control: int = SEND_NO_REPLY
    ) -> "tuple[int, bytes]":
        """Return the access number and the link frame, without CRCs, of a telegram.

        Args:
            telegram: what to say.
            history: room for half-hours, in bytes.
            control: the link's C field.

        Raises:
            StoreError: no counter could be reserved, or none may be used any more.
        """
        counter = self._taken(self._messages)
        access_number = counter & 0xFF
        link = seal_telegram(
            self._board.aes,
            self._board.key,
            self._board.serial,
            encode_records(telegram, history),
            counter,
            access_number,
            status_byte(telegram.error_flags),
            control=control,
        )
        return access_number, link

    def advert(self, telegram: PulseTelegram, battery_percent: int) -> bytes:
        """Return advertising data: by turns the count and its age, and the state and the volume.

        Raises:
            StoreError: no counter could be reserved, or none may be used any more.
        """
        counter = self._taken(self._adverts)
        packet_id = counter & 0xFF
        if counter % 2 == 0:
            objects = count_objects(packet_id, telegram.count, telegram.last_pulse_age_s)
        else:
            objects = state_objects(
                packet_id, battery_percent, telegram.error_flags, telegram.volume_l
            )
        address = self._board.address or b""
        return advertising_data(
            seal_advert(self._board.aes, self._advert_key, address, objects, counter)
        )

    def _taken(self, counter: ReservedCounter) -> int:
        if self._is_mute:
            raise StoreError("the counters were lost, and one might be used again")
        return counter.take()
