"""How good the feedback of an activity is, in figures for its staff that say nothing of what was written."""
