"""What comes from platforms at a launch: signed messages, and the keys that they are signed with."""
