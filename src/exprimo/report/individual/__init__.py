"""The page of a study of individuals."""
