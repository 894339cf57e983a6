"""The one error a user meets: a sentence saying what is wrong, the value, and what to do."""


class BadInput(ValueError):
    """Something the user gave cannot be used. The command line prints the sentence and exits with code 2."""
