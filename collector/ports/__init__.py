"""The socket by which a collector that runs takes orders, and its client."""
