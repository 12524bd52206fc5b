"""Cell types: factor activity and gene states, what they do to expression, and histone marks."""
