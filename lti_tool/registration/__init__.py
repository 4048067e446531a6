"""Which platforms may launch us, by which keys, and for which institution."""
