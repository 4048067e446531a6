"""Trios, circles and rings: everybody in a group, and few meet twice."""
