"""What a simulated board stands in: time, events to come, pins and interrupts that wait.

Runs under both interpreters.
"""

try:
    from micropython import heap_lock, heap_unlock
except ImportError:

    def heap_lock():
        """CPython cannot tell who takes memory."""

    def heap_unlock():
        """See `heap_lock`."""


class World:
    """Simulated time in us, and what happens when."""

    def __init__(self):
        self.now_us = 0
        self.events = []  # (us, what to call), in order
        self.irq_enabled = True
        self.pending = []  # (handler, pin, hard): one at most for each pin
        self.levels = {}  # of pins that something outside drives
        self.pins = {}
        self.sleeps = 0
        self.asleep_us = 0
        self.is_asleep = False

    def at(self, ms, action):
        """Let something happen at an instant, which is to come, after all else that does then."""
        low, high = 0, len(self.events)
        while low < high:
            middle = (low + high) // 2
            if self.events[middle][0] > ms * 1000:
                high = middle
            else:
                low = middle + 1
        self.events.insert(low, (ms * 1000, action))

    def run(self, until_us, stops=None):
        """Let time pass; return whether ``stops`` held before all of it had."""
        while True:
            if stops is not None and stops():
                return True
            if not self.events or self.events[0][0] > until_us:
                self.now_us = max(self.now_us, until_us)
                return False
            at_us, action = self.events.pop(0)
            self.now_us = max(self.now_us, at_us)
            action()

    def drive(self, pin, level):
        """Set what something outside makes of a pin."""
        before = self.level(pin)
        if pin in self.pins:
            self.pins[pin].meter()
        self.levels[pin] = level
        after = self.level(pin)
        if pin in self.pins and before != after:
            self.pins[pin].edge(after)

    def level(self, pin):
        """Return a pin's level: what drives it, else its pull-up; one that floats is a mistake."""
        driven = self.levels.get(pin)
        if driven is not None:
            return driven
        if pin in self.pins and self.pins[pin].is_pulled_up:
            return 1
        return 0  # floats

    def interrupt(self, handler, pin, hard):
        """Call a handler, now or once interrupts are let through."""
        for waiting in self.pending:
            if waiting[1] is pin:
                return
        self.pending.append((handler, pin, hard))
        if self.irq_enabled:
            self.deliver()

    def deliver(self):
        """Call the handlers that wait."""
        while self.pending:
            handler, pin, hard = self.pending.pop(0)
            if hard:
                heap_lock()
                try:
                    handler(pin)
                finally:
                    heap_unlock()
            else:
                handler(pin)

    def disable_irq(self):
        """As `machine.disable_irq`."""
        was = self.irq_enabled
        self.irq_enabled = False
        return was

    def enable_irq(self, state):
        """As `machine.enable_irq`."""
        self.irq_enabled = state
        if state:
            self.deliver()


class Uart:
    """`machine.UART` on a line whose other end is a master; both have to agree on the speed."""

    world = None
    line = None  # the one that was made last

    def __init__(self, number, baudrate=9600, bits=8, parity=None, stop=1, rxbuf=64, **pins):
        if number != 1 or set(pins) - {"tx", "rx"}:
            raise ValueError("there is no such UART")
        self.room = rxbuf
        self.received = b""
        self.sent = []  # (speed, bytes)
        self.init(baudrate, bits, parity, stop)
        Uart.line = self

    def init(self, baudrate=9600, bits=8, parity=None, stop=1):
        """As `UART.init`."""
        self.form = (baudrate, bits, parity, stop)

    def arrive(self, baudrate, data):
        """Bring bytes from the master, 8E1, each of 11 bits."""
        if self.form == (baudrate, 8, 0, 1):
            self.received = (self.received + data)[: self.room]

    def any(self):
        """As `UART.any`."""
        return len(self.received)

    def read(self):
        """As `UART.read`, without waiting."""
        data = self.received
        self.received = b""
        return data or None

    def write(self, data):
        """As `UART.write`."""
        self.sent.append((self.form[0], bytes(data)))
        return len(data)

    def flush(self):
        """As `UART.flush`: wait until all has left."""


class Module:
    """Something to be imported: it has the names that it is given and no others."""

    def __init__(self, **names):
        for name, value in names.items():
            setattr(self, name, value)


class Pin:
    """The part of `machine.Pin` that both ports have in common."""

    IN = 0
    PULL_UP = 1
    IRQ_RISING = 1
    IRQ_FALLING = 2
    world = None
    names = ()
    takes_hard = False

    def __init__(self, name, mode, pull=None):
        if name not in self.names:
            raise ValueError(f"there is no pin {name}")
        self.name = name
        self.handler = None
        self.hard = False
        self.is_pulled_up = False
        self.since_us = self.world.now_us
        self.pulled_us = 0  # how long current has flowed through the pull-up
        self.world.pins[name] = self
        self.init(mode, pull)

    def init(self, mode, pull=None):
        """Set an input's pull-up."""
        if mode != self.IN or pull not in (None, self.PULL_UP):
            raise ValueError("only inputs are simulated")
        self.meter()
        self.is_pulled_up = pull == self.PULL_UP

    def meter(self):
        """Count the time since the last change if current flowed."""
        if self.is_pulled_up and self.world.levels.get(self.name) == 0:
            self.pulled_us += self.world.now_us - self.since_us
        self.since_us = self.world.now_us

    def value(self):
        """Return the level."""
        return self.world.level(self.name)

    def set_irq(self, handler, trigger, hard):
        """Take a handler for both edges, or none."""
        if handler is not None and trigger != self.IRQ_RISING | self.IRQ_FALLING:
            raise ValueError("only both edges are simulated")
        self.handler = handler
        self.hard = hard

    def edge(self, level):
        """Interrupt, if somebody listens."""
        if self.handler is not None:
            self.world.interrupt(self.handler, self, self.hard)
