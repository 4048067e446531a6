"""Decisions about platforms and their addresses, and what registering says."""
