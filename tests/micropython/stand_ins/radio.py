"""A simulated `bluetooth.BLE`, NimBLE beneath, and the phone of an installer in range.

Only what the documentation names exists. The phone is a central that pairs with a passkey or
comes back with the key of an earlier pairing.
"""

INTERVAL_MIN_US = 20_000
INTERVAL_MAX_US = 10_240_000
SLOT_US = 625

CONNECT = 1
DISCONNECT = 2
WRITE = 3
READ_REQUEST = 4
MTU = 21
ENCRYPTION = 28
GET_SECRET = 29
SET_SECRET = 30
PASSKEY = 31
OUR_KEYS = 1  # a kind of secret

FLAG_READ = 0x0002
FLAG_WRITE = 0x0008
READ_AUTHENTICATED = 0x0400
WRITE_AUTHENTICATED = 0x2000


class Uuid:
    """As `bluetooth.UUID`."""

    def __init__(self, value):
        if len(value) != 36:
            raise ValueError("no UUID of 128 bits")
        self.value = value


class Radio:
    """The controller and its stack between two resets, with ``peer`` when one is connected."""

    ADDRESS = b"\xc0\xff\xee\x00\x00\x01"

    def __init__(self, world, asks_before_reads):
        self.world = world
        self.asks_before_reads = asks_before_reads
        self.uuid = Uuid
        self.is_active = False
        self.handler = None
        self.settings = {}
        self.attributes = []  # of the service: UUID and flags
        self.values = []
        self.rooms = []
        self.peer = None
        self.sent = []  # (ms, data, how often, connectable) of adverts that have ended
        self.advert = None
        self.is_waking = False

    def need_active(self):
        """Most calls want an active radio."""
        if not self.is_active:
            raise OSError(19)

    def take_wake(self):
        """Tell once whether something has woken the processor."""
        waking = self.is_waking
        self.is_waking = False
        return waking

    def tell(self, event, data):
        """Call the handler, as the stack does."""
        self.is_waking = True
        return self.handler(event, data)

    def active(self, active):
        """As `BLE.active`; what was registered is gone when it ends."""
        if not active and self.peer is not None:
            raise ValueError("somebody is connected")
        if not active:
            self.end_advert()
            self.attributes = []
        self.is_active = active
        return active

    def irq(self, handler):
        """As `BLE.irq`."""
        self.handler = handler

    def config(self, *names, **values):
        """As `BLE.config`, with the settings that are used."""
        self.need_active()
        if names:
            if names != ("mac",) or values:
                raise ValueError("unknown config param")
            return (0, memoryview(self.ADDRESS))
        for name, value in values.items():
            if name not in ("bond", "mitm", "le_secure", "io", "mtu"):
                raise ValueError("unknown config param")
            self.settings[name] = value
        return None

    def gatts_register_services(self, services):
        """As `BLE.gatts_register_services`, for one service."""
        self.need_active()
        if self.advert is not None or self.attributes:
            raise ValueError("registered once, before adverts")
        ((_, attributes),) = services
        self.attributes = [(uuid.value, flags) for uuid, flags in attributes]
        self.values = [b""] * len(attributes)
        self.rooms = [20] * len(attributes)
        return (tuple([16 + 3 * number for number in range(len(attributes))]),)

    def number(self, handle):
        """The place of an attribute in its service."""
        self.need_active()
        number, rest = divmod(handle - 16, 3)
        if rest or not 0 <= number < len(self.attributes):
            raise OSError(22)
        return number

    def gatts_set_buffer(self, handle, length, append=False):
        """As `BLE.gatts_set_buffer`."""
        self.rooms[self.number(handle)] = length

    def gatts_write(self, handle, data, send_update=False):
        """As `BLE.gatts_write`."""
        if len(data) > self.rooms[self.number(handle)]:
            raise ValueError("the value is longer than its buffer")
        self.values[self.number(handle)] = bytes(data)

    def gatts_read(self, handle):
        """As `BLE.gatts_read`."""
        return self.values[self.number(handle)]

    def gatts_notify(self, peer, handle, data):
        """As `BLE.gatts_notify`; the stack holds two that are not yet sent."""
        if self.peer is None or peer != self.peer.handle:
            raise OSError(128)
        if len(data) > self.peer.mtu - 3:
            raise ValueError("the notification is longer than the connection's MTU")
        if len(self.peer.coming) == 2:
            raise OSError(12)
        self.peer.coming.append((self.attributes[self.number(handle)][0], bytes(data)))
        self.world.at(self.world.now_us // 1000 + 30, self.peer.fetch)

    def gap_advertise(self, interval_us, adv_data=None, resp_data=None, connectable=True):
        """As `BLE.gap_advertise`."""
        self.need_active()
        self.end_advert()
        if interval_us is None:
            return
        if not INTERVAL_MIN_US <= interval_us <= INTERVAL_MAX_US:
            raise ValueError("no interval of an advert")
        if adv_data is None or len(adv_data) > 31:
            raise ValueError("an advert has up to 31 bytes")
        if connectable and self.peer is not None:
            raise OSError(12)
        self.advert = (self.world.now_us, interval_us // SLOT_US * SLOT_US, adv_data, connectable)

    def end_advert(self):
        """Count the events that an advert had."""
        if self.advert is not None:
            start_us, interval_us, data, connectable = self.advert
            events = 1 + (self.world.now_us - start_us) // interval_us
            self.sent.append((start_us // 1000, bytes(data), events, connectable))
            self.advert = None

    def gap_passkey(self, peer, action, passkey):
        """As `BLE.gap_passkey`: what the unit shows, or would."""
        if self.peer is None or peer != self.peer.handle or action != 3:
            raise OSError(22)
        self.peer.compare(passkey)

    def gap_disconnect(self, peer):
        """As `BLE.gap_disconnect`."""
        if self.peer is None or peer != self.peer.handle:
            return False
        self.peer.lose()
        return True


class Phone:
    """A central; ``told`` has what it saw, until its owner takes it."""

    handle = 1

    def __init__(self, radio, key=None):
        self.radio = radio
        self.key = key  # of the pairing
        self.passkey = 0
        self.mtu = 23
        self.is_secure = False
        self.coming = []
        self.told = []

    def connect(self):
        """Answer an advert, if there is one to connect to."""
        radio = self.radio
        if radio.advert is None or not radio.advert[3] or radio.peer is not None:
            self.told.append("no advert to connect to")
            return
        radio.end_advert()
        radio.peer = self
        self.mtu = 23
        self.is_secure = False
        self.coming = []
        self.told.append("connected")
        radio.tell(CONNECT, (self.handle, 1, memoryview(b"\xf0\x00\x00\x00\x00\x02")))
        self.mtu = min(247, radio.settings["mtu"])
        radio.tell(MTU, (self.handle, self.mtu))

    def pair(self, passkey):
        """Ask to pair; the passkey is what the installer reads on the label."""
        settings = self.radio.settings
        if not (settings["bond"] and settings["mitm"] and settings["le_secure"]):
            raise ValueError("this pairing would not be secure")
        self.passkey = passkey
        self.radio.tell(PASSKEY, (self.handle, 3, 0))

    def compare(self, passkey):
        """The two passkeys are the same or the pairing fails."""
        if passkey != self.passkey:
            self.told.append("pairing failed")
            return
        self.key = b"a key of sixteen"
        self.radio.tell(SET_SECRET, (OUR_KEYS, memoryview(b"phone"), memoryview(self.key)))
        self.encrypt()

    def come_back(self):
        """Encrypt with the key of an earlier pairing, if the unit has it too."""
        stored = self.radio.tell(GET_SECRET, (OUR_KEYS, 0, memoryview(b"phone")))
        if stored is None or bytes(stored) != self.key:
            self.told.append("the key is unknown")
            return
        self.encrypt()

    def encrypt(self):
        """Tell the stack that the link is encrypted."""
        self.is_secure = True
        self.told.append("secure")
        self.radio.tell(ENCRYPTION, (self.handle, 1, 1, 1, 16))

    def lose(self):
        """The connection ends."""
        self.radio.peer = None
        self.told.append("disconnected")
        self.radio.tell(DISCONNECT, (self.handle, 1, memoryview(b"\xf0\x00\x00\x00\x00\x02")))

    def read(self, attribute):
        """Read a value; the stack answers."""
        _, flags = self.radio.attributes[attribute]
        if not flags & FLAG_READ:
            self.told.append("not to be read")
            return b""
        if flags & READ_AUTHENTICATED and not self.is_secure:
            self.told.append("read refused")
            return b""
        if self.radio.asks_before_reads:
            refused = self.radio.tell(READ_REQUEST, (self.handle, 16 + 3 * attribute))
            if refused:
                self.told.append("read refused")
                return b""
        return self.radio.values[attribute]

    def write(self, attribute, data):
        """Write a value; what is longer than its buffer is cut."""
        _, flags = self.radio.attributes[attribute]
        if not flags & FLAG_WRITE or (flags & WRITE_AUTHENTICATED and not self.is_secure):
            self.told.append("write refused")
            return
        self.radio.values[attribute] = bytes(data[: self.radio.rooms[attribute]])
        self.radio.tell(WRITE, (self.handle, 16 + 3 * attribute))

    def fetch(self):
        """Take the oldest notification off the air."""
        if self.coming:
            uuid, data = self.coming.pop(0)
            self.told.append(f"notified {uuid[:8]} {len(data)}")
            self.notified = data
            self.radio.is_waking = True
