"""Make, change and delete webhook endpoints, and say how far each has been told."""
