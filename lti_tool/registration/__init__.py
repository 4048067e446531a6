"""Platforms that may launch us, with their keys and institutions."""
