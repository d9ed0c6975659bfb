"""Keep the books of the imitated server API: who follows, who has which tag, what was called and what is left of it."""
