"""What templates call: rows in the words, numbers and buttons that people see."""
