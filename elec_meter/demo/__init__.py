"""The simulated house around the real meter, and recorded input fed to it."""
