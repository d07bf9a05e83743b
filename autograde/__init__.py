"""What instructors run: oracles, judging, the grading engine, the gradebook, feedback and the builder.

Nothing in this package is visible to student code while a class is graded.
"""
