"""What a stack is made of: feature tables, the people of all files, and what features learned."""
