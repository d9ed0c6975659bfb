"""Provide settings, clock, logging, encryption, batching and cancellation. Nothing here knows the product."""
