"""The drawn sample: faces whose mouth decides the label."""
