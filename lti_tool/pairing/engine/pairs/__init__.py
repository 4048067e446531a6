"""Rounds of pairs: each the best there is where that can be reached, else made better step by step."""
