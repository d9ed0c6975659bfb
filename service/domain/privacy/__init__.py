"""Forgetting people, and dropping what is older than its retention."""
