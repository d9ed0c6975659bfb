"""Events: validation and recording."""
