"""The page of a promoter-halflife study."""
