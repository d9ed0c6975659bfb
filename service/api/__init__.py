"""Serve the GraphQL API: object types, one module of operations for each feature, and what carries them."""
