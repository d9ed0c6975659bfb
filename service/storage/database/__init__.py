"""Open the connection pool, read the files of `sql/`, and migrate."""
