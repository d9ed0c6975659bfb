"""Thin arq tasks: each calls one use case, and may be run again at any time."""
