"""Channels: binding, addresses, and the one check of who may see which."""
