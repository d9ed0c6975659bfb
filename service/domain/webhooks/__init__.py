"""Tell other systems of changes: the endpoints that are told, and how they are."""
