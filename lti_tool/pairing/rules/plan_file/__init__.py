"""The format `pairing/1`: an instance in a file, its plan or reviews in another. See docs/pairing-format.md."""
