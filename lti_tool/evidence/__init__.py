"""What an activity did, in figures: pictures with tables for staff, files, and a closing report."""
