"""Audiences: counting, paging and export."""
