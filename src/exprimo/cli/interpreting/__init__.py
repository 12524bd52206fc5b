"""Commands that ask what a model looks at: explain, agreement, motifs."""
