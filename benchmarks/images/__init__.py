"""Pictures beside sharp."""
