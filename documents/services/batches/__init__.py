"""The way of a Finance batch, from its files to its end."""
