"""One module per topic; each calls the named statements in sql/queries."""
