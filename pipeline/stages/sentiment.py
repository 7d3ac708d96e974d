"""Text to polarities to weak labels."""
