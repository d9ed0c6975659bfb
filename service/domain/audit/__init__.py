"""Write the audit log: who did what, in the act's own transaction, and what was refused to whom."""
