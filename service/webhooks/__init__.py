"""Send webhooks: sign them, refuse addresses that are not public, and call within limits of time and size."""
