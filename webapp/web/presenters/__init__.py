"""What templates call: they turn rows into the words, numbers and buttons that people see."""
