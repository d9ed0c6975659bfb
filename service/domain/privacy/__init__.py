"""Forget people, and delete what is older than its retention."""
