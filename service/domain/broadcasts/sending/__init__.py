"""Claim people, send to them, and write down what became of each call, so that nobody is sent to twice or lost."""
