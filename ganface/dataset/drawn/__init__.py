"""Drawing one anime face."""
