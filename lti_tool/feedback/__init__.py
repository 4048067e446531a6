"""What one learner tells another after observing."""
