"""Which pictures does a list name, and what does it say of them?"""
