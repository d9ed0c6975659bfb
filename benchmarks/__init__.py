"""Measurements, each side by side with a baseline or a limit in the same run: `make bench`."""
