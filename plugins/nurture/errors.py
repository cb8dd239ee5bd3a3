"""Errors that say what was found, what was expected and what to do."""


class NurtureError(Exception):
    """Base of every error that the package raises on purpose."""


class ConfigError(NurtureError):
    """A file in `include/` is wrong: the message names file, key and the valid choices."""


class TransientError(NurtureError):
    """The other side failed in a way that may pass: trying again is right."""


class TerminalError(NurtureError):
    """The other side refused: trying the same again gives the same answer."""


class OutcomeUnknown(NurtureError):
    """A write was sent and no answer was seen: read back before doing anything else."""
