"""Speak WeChat's protocols, as pure functions: no network, no storage, no clock of their own."""
