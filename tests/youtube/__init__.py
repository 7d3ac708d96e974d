"""Parts of the YouTube on loopback: what it has, and what it answers (see tests/fake_youtube.py)."""
