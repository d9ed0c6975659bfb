"""The nouns of the service: frozen values, enums and errors. Imports nothing of ours."""
