"""One gene at a time: what is known of it, what models predict, and what they look at."""
