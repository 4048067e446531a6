"""Logins, launches and visits, and the rows that a launch adds."""
