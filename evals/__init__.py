"""Measures the app from outside."""
