"""Embedded PostgreSQL and Valkey, and the supervisor of `user-tags up`."""
