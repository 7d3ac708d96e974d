"""Recordings: decode, slice, peaks."""
