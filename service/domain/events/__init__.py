"""Validate and record events."""
