"""Measure the service, each time beside a baseline or a limit in the same run: `make bench`."""
