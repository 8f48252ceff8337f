"""Three replicas on one PostgreSQL, with faults."""
