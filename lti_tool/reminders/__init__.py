"""Reminders: what waits for a learner, and letters that say so, at most one a day."""
