"""Imitate the WeChat platform over real HTTP, with simulated users, for `make run` and for tests."""
