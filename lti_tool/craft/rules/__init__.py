"""Help topics and warm-up cards as data, and the checks of their exercises."""
