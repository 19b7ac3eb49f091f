"""The form fields of task parameters: `table` has a class for each kind of field that parameter types name."""
