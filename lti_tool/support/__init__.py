"""What all features share and which knows no Flask."""
