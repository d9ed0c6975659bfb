"""Import the followers of an Official Account from WeChat."""
