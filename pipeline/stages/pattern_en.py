"""pattern.en's sentiment on Python 3."""
