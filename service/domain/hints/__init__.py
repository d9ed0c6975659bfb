"""Find what is worth a look about the tags of a channel."""
