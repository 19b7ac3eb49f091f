"""What becomes of the rows of each model when an account is deleted: a module for each part of the site."""
