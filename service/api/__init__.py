"""Serve GraphQL: parse what is asked, call the domain once, convert what comes back."""
