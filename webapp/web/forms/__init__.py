"""The forms that people fill in, one noun a file, with the words that they read when something is wrong."""
