"""Use cases and rules. Each use case opens its own transaction; storage functions never commit."""
