"""Store broadcasts: what they send, whom, the ledger of their messages, and what keeps people from them."""
