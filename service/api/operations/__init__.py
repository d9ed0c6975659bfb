"""Resolve the root fields of the schema, one module per feature.

Each module has its inputs, payloads, queries, mutations and subscriptions, in this order. A resolver parses ids and
inputs, calls the domain, and converts what comes back.
"""
