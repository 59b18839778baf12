"""What share of many pictures is in each class? (`pixsent-tf share`)"""
