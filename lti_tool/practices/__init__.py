"""The course library: practices, examples and resources that groups share, with the consent of everybody concerned."""
