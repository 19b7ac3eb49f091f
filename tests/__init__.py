"""Tests of Errand. Each name is a sentence with the rule in it."""
