"""Learning the craft: help topics, and a warm-up of six short cards before the first meeting."""
