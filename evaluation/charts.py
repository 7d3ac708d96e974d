"""Reports to figures."""
