"""What is measured: a file's name is the row's id, and each has `measure(plan) -> Row`."""
