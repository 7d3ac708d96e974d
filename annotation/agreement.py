"""How far listeners agree."""
