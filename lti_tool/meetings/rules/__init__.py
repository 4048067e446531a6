"""What a time may be, how a meeting stands, which times suit a whole group, and what calendars are told."""
