"""The checkpoint, one .npz file: `format` says what is in it, `save` writes it, `load` reads it."""
