"""What explaining needs to know of particular kinds of models."""
