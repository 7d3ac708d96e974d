"""Samples to feature vectors."""
