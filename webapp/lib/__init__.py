"""Generic helpers, which know nothing of this app: texts, times, files, sockets. They import nothing else of ours."""
