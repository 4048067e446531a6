"""Return of completion to the gradebook."""
