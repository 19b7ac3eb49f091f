"""What Errand promises about speed, measured beside its limits. `make bench` runs it."""
