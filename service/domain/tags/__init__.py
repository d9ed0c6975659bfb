"""Tags of every kind: the catalogue, naming, filters, sizes and reading."""
