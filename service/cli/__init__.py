"""Provide the program `user-tags`."""
