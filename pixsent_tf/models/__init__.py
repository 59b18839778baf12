"""Which networks turn pixels into features, and features into sentiment?"""
