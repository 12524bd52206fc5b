"""Files: atomic writing, locks, checksums, format versions."""
