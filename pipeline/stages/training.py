"""Features and labels to a model."""
