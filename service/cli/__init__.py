"""The program `user-tags`."""
