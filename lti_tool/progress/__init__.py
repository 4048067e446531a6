"""What is done and what is missing."""
