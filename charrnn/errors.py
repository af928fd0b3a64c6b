"""The errors that charrnn raises on purpose.

Each message is one line of the form `what: what is wrong; what to do`. The command line prints it and exits with
status 1; in Python it is an ordinary exception.
"""


class CharRNNError(Exception):
    """Base of every error that charrnn raises on purpose."""


class TextError(CharRNNError):
    """A text cannot be read, or cannot be used as asked."""


class UnknownCharacterError(TextError):
    """A text contains a character that is not in the model's vocabulary."""


class CheckpointError(CharRNNError):
    """A checkpoint cannot be read or written, or does not belong to the text or run."""


class OptionError(CharRNNError):
    """An option has a value that cannot be used, or does not go with another option."""


class DivergedError(CharRNNError):
    """Training diverged: a loss, gradient or weight became NaN or infinite, and lower learning rates did not help."""


class TooFewError(CharRNNError):
    """Records that satisfy the constraints are too rare to draw as many as were asked for."""
