"""What knows nothing of this app: texts, times, files, names, deadlines. It imports nothing else of ours."""
