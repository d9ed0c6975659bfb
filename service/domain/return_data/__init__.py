"""Data that integrators hand back: submission, batches, CSV, the return endpoint."""
