"""Run the named statements: one module per topic, whose functions take a connection and never commit."""
