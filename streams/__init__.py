"""The plumbing: settings, topics, transport, tables, delivery, metrics."""
