"""Admin site."""
