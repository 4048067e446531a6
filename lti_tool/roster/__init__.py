"""Who is in the course."""
