"""Running: student code closed in, one submission or many at once, and the verdicts on what came out."""
