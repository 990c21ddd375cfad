"""The exceptions of the package. Only misuse and stores that cannot answer raise: compression itself never does."""


class HeadroomError(Exception):
    """Base of the exceptions of this package."""


class ConfigurationError(HeadroomError, ValueError):
    """A setting has a value that is not accepted."""


class StoreError(HeadroomError):
    """A store cannot answer. The message holds no content."""
