"""Plans and preferences in the database: SQL, and nothing that decides."""
