"""Networks over chromatin marks in bins."""
