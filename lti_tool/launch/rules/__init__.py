"""Decisions about launches on plain values: what a token says, and what binds it to its login."""
