"""Feed open subscriptions: the whole set first, then every change in order, exactly once, on any web process."""
