"""What several task functions share: decoding, tables, images, ZIP files, mail that is sent once."""
