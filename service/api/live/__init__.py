"""Serve subscriptions whose events are encoded once and pushed to every socket."""
