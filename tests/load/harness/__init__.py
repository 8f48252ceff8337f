"""What the load tests have in common."""
