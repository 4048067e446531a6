"""Who reviews whose work."""
