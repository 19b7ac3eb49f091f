"""What people do in a browser, in a real one, against real web and worker processes."""
