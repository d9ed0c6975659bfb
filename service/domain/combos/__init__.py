"""Combo tags: expressions, editing, activation, refresh and cleanup."""
