"""Word tokens and stop-words."""
