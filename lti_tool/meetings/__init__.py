"""When and where the members of a group meet."""
