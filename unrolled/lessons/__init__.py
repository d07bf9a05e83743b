"""What a lesson gives its students ready-made, one module a topic: helpers too telling for a cell."""
