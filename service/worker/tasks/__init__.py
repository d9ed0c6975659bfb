"""Thin arq tasks: each calls one use case, and may be run again at any time.

A task takes arq's context first, in which `runtime` is the process's Runtime.
"""
