"""Valkey: change notifications, their listener and the queue of tasks. Nothing is kept in Valkey only."""
