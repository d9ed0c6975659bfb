"""Named statements, called from one module per topic; functions take a connection and never commit."""
