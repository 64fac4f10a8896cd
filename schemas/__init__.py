"""What travels: events in, records out, and what the agents tell each other."""
