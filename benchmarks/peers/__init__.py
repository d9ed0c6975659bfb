"""What the service is measured against, doing the same work."""
