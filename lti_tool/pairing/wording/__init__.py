"""Words for people: what rules are called, and what to do when something cannot be done."""
