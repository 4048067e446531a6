"""Pairing as plain data: what pages show of plans, what designers want, and what a change makes of a plan."""
