"""Taking in: from a folder that a student handed in to the lesson's own cells with the student's answers in them."""
