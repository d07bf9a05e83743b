"""Recording: the gradebook, the journal, a page for each student and a report on the class."""
