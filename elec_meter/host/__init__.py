"""The meter on this computer: its real time, and whatever the file says is plugged in."""
