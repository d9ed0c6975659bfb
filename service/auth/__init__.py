"""Know who asks: tokens, the keys that verify them, and how much a principal may ask for."""
