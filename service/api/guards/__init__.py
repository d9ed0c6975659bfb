"""Check operations before and while they run: size, cost and permissions."""
