"""Studies: everything below, composed. Import from its modules; some of them need torch."""
