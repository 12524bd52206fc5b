"""The page of a chromatin study."""
