"""The format `pairing/1`: instances in, results out. See docs/pairing-format.md."""
