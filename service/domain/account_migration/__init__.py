"""Follow an account of WeChat that is migrated to another one: its followers get other openids."""
