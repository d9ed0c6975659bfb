"""Name the things of the service: frozen values, enums and errors, by noun. Imports no other package of the service."""
