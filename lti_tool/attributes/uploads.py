"""A table from its upload to the moment when it is taken over."""
