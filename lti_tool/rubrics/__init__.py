"""Criteria and levels by which feedback is given."""
