"""Send a message once to everybody in an audience (docs/specification.md §6.3)."""
