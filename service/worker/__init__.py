"""The worker process: arq, its schedule and its tasks."""
