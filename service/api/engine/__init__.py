"""The GraphQL engine: documents parsed once, queries planned once, answers written by compiled serializers."""
