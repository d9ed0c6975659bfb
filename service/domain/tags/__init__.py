"""Keep what holds for tags of every kind: the catalogue, naming, filters, sizes and reading."""
