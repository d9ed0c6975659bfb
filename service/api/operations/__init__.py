"""One module per feature: its inputs, payloads, queries, mutations and subscriptions."""
