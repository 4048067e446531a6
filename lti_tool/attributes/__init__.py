"""What is known of learners, so that fitting partners can be found."""
