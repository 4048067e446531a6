"""The trust boundary: login, launch, registration and keys."""
