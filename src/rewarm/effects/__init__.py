"""Rows of measurements and diaries → effects: how large, how soon, how long, how sure, and what cannot be ruled out."""
