"""Act on an Official Account through WeChat's server API: tokens, quotas, and one way to call."""
