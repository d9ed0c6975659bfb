"""Default tags: definitions, the scheduled run and explanations."""
