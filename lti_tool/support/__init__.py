"""Code that all features share and that does not use Flask."""
