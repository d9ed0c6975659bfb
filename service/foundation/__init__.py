"""What knows nothing of the product: settings, clock, logging, encryption, batching."""
