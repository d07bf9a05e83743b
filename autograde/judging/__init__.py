"""Judging: what an exercise asks, what its answer gave, and the verdict. Arrays in, words and points out."""
