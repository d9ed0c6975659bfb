"""The connection pool, the files of `sql/`, the named statements and the migrations."""
