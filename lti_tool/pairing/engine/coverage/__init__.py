"""As few people without a partner as possible, and what shows that it could not be otherwise."""
