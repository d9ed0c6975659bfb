"""Keep the default tags of users: definitions, the scheduled run and explanations."""
