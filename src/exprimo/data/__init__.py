"""Files in, validated tables out; positions are converted once, here."""
