"""What admins see of the figures, a module per page."""
