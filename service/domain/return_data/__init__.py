"""Take the data that integrators return: submissions, batches, CSV files and the return endpoint."""
