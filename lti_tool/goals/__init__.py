"""Goals, what is done for them, what went well and what helps: they live in a course, across its rounds."""
