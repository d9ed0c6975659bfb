"""Decide who of an audience can be sent to."""
