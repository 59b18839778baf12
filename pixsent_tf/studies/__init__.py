"""Runs that answer a question together."""
