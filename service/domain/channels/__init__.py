"""Bind channels, keep their addresses, and check which channels a principal may use."""
