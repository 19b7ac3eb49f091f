"""Resources that several nouns of the API answer with."""
