"""Count, compare, page through and export audiences."""
