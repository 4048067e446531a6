"""What an activity is: templates, settings, rounds, life cycle."""
