"""Side-by-side benchmarks: every figure is a ratio measured in the same run on the same machine."""
