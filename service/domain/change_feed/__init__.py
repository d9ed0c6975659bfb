"""Number what happens in a channel after its commit, and tell it in that order to whoever follows."""
