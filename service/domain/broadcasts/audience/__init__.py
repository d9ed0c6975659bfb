"""Decide whom a broadcast is sent to: preview it, freeze it, and tell who can be sent to."""
