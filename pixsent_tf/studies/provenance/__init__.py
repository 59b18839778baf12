"""What is a study about, and which pictures did each of its decisions see?"""
