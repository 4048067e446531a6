"""Programmes: activities of a course in an order, whose dates move together."""
