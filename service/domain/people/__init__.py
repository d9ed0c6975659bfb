"""Users of a channel: ordinals, identities and history."""
