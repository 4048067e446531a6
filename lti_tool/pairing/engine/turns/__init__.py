"""Who goes first, who observes whom, who brings the case: as evenly as can be, whatever the groups are."""
