"""What may be known of a learner, and how values, tables and names are read. Plain values only."""
