"""Apply the rules of the product: each use case opens its own transaction, and storage functions never commit."""
