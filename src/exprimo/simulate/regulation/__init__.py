"""Transcription factors: motifs, planted sites, and what sites do."""
