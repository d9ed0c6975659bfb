"""Provide other servers that do the same work as the measured service."""
