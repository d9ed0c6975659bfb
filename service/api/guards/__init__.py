"""What is checked before and while an operation runs: permissions and complexity."""
