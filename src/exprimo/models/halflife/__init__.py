"""Networks that read mRNA half-life beside DNA."""
