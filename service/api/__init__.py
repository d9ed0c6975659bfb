"""The GraphQL API: one module per feature, and the tokens that open it."""
