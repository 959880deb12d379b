"""What was promised to those who read the log: one stored line of every event type, kept for good."""
