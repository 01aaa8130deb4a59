"""The three hottest routes of the API beside an Express server that does the same work. See README.md."""
