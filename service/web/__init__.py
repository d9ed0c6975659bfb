"""Serve HTTP and WebSockets: routes, endpoints besides GraphQL, and protocols."""
