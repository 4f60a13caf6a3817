"""What goes wrong in a step through no fault of the program: shown as one line, exit code 2."""


class StepError(Exception):
    """A missing file, a missing column, an unknown model or variant, a refused publication."""
