"""An imitation of the WeChat platform over real HTTP, with a crowd on it: for `make run` and for tests."""
