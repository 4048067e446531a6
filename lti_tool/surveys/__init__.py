"""A short survey before and after an activity: what changed, in people's own view."""
