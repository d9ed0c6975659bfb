"""Serve the console: the pages that `make console` builds from `console/`, and the files that they load."""
