"""Hold every administrative mutation to its entry in the audit log."""
