"""The optional second look at small courses by OR-tools."""
