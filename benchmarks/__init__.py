"""Measurements of this server beside what a club would otherwise build."""
