"""Resources that several operations answer with: one file a noun."""
