"""The independent check: it knows what the rules say, and nothing of how plans are made."""
