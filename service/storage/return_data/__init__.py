"""Store return data: batches, their members, endpoints and idempotency keys."""
