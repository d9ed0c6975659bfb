"""Recompute every tag from the facts, and compare."""
