"""From a login to a visit, and what a launch leaves behind."""
