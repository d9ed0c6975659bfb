"""The live feed: whole sets first, then every change in order, exactly once, on any web process."""
