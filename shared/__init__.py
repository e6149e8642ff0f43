"""What the pulse unit, the collector and the meter share; it imports none of them."""
