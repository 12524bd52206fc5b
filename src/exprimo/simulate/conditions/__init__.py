"""RNA-seq of two conditions between which one transcription factor's activity changes."""
