"""Pages of the pipeline: the corpus, one video with its sound, and training."""
