"""The protocols WeChat speaks, as pure functions: no network, no storage, no clock of their own."""
