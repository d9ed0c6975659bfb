"""Merge one tag into another of its kind (docs/specification.md §4.7)."""
