"""Deliver what happened in channels to the endpoints that follow them, in order, until it is acknowledged."""
