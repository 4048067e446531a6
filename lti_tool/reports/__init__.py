"""Reports of harm: a text that hurt is set aside, staff decide, and both people learn what came of it."""
