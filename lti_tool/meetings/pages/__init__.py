"""The page of a meeting's time, and private calendars."""
