"""The demonstration corpus: interviews written for Crossmodal, spoken by espeak-ng, served on loopback."""
