"""Votes to a verdict."""
