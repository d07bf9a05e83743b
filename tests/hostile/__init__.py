"""Attacks on the grader and faults in submissions, each with what stock nbgrader 0.9.6 makes of it."""
