"""Gentle hints while somebody writes feedback: plain rules on text, with lists of words for each language."""
