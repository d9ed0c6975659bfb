"""Pass change notifications and tasks through Valkey. Nothing is kept there only."""
