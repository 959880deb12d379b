"""What a competent team would write without an event log: a FastAPI service over SQLAlchemy rows and an audit table."""
