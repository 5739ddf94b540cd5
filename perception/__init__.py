"""Perception: encoders from pictures, boards, speech and text to features, trained once and reused anywhere."""
