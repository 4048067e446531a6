"""A table of people as somebody's spreadsheet wrote it: encoding, delimiter and columns are found out."""
