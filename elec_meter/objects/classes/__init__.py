"""COSEM interface classes (IEC 62056-6-2), each as its attributes and methods.

What a meter has of them, and where the values come from, is for the directory to say.
"""
