"""Keep the users of a channel: ordinals, identities and history."""
