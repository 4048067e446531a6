"""What learners and staff see of reminders, and the page that stops letters."""
