"""What generated sequences are worth: measures beside real ones and rivals, and the gate."""
