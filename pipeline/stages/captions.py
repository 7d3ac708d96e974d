"""Caption files to cues to utterances."""
