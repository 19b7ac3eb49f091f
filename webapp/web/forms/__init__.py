"""The forms of the site, one noun a file, with their validation and its messages."""
