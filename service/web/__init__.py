"""The web process: routes, HTTP endpoints and protocols."""
