"""What can go wrong, in words a user can act on.

Each message is one line: what was wrong, where, and what to do. The command line prints it and exits with 1; in
Python it is an exception like any other.
"""


class CharRNNError(Exception):
    """Base of every error that charrnn raises on purpose."""


class TextError(CharRNNError):
    """A text cannot be read, or cannot be used as asked."""


class UnknownCharacterError(TextError):
    """A text has a character that the vocabulary does not."""


class CheckpointError(CharRNNError):
    """A checkpoint cannot be written, or read, or is not what was asked for."""


class OptionError(CharRNNError):
    """A value, or a combination of values, that cannot be used."""


class DivergedError(CharRNNError):
    """A loss, a gradient or the weights themselves are no longer finite numbers."""
