"""The page of a differential-promoter study."""
