"""Make combo tags from expressions, edit and delete them, and keep their members up to date."""
