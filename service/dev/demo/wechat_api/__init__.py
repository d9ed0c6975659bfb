"""Imitate WeChat's server API: its shapes, limits and error codes, with books of what was done and faults to order."""
