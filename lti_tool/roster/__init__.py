"""Rosters: the members of a course."""
