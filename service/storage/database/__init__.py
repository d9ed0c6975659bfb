"""The connection pool, named statements and migrations."""
