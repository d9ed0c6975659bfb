"""Run tasks and what the clock starts, with arq."""
