"""Run operations fast: documents parsed once, selections planned once, values serialized by compiled functions."""
