"""Run PostgreSQL, Valkey and the processes of the service from one terminal, as `user-tags up` does."""
