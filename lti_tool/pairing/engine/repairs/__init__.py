"""After people came or went or rules changed: the fewest changes, and what everybody moved is told."""
