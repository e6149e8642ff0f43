"""Where frames come from: one abstract base, a virtual radio, files of recorded telegrams."""
