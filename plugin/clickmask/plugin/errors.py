"""Errors of the Label Studio backend that a person can cause; each knows its HTTP status.

ClickMaskError (clickmask.decoder.errors)
└── BackendError
    ├── SettingsError      a setting has a wrong value; the server does not start
    ├── RequestError       400, a request that breaks the protocol
    ├── TooLargeError      413, a request or an image beyond the limits
    ├── FetchError         502, an image or a Label Studio answer that cannot be fetched
    ├── RefusedError       403, an address or a path that may not be read
    ├── NotReadyError      503, the model still loads or could not be loaded
    ├── BusyError          503, more requests wait than the limit allows
    ├── RecordsError       507, the records cannot be written: a full disk, a folder that may not be written to
    ├── CancelledError     503, a track that nobody wants any more, or the backend stops
    └── StudioError        a local Label Studio that cannot be installed, started or set up
"""

from clickmask.decoder import ClickMaskError


class BackendError(ClickMaskError):
    """Base of the backend's own errors."""

    status = 500


class SettingsError(BackendError):
    """A setting has a value that cannot work."""


class RequestError(BackendError):
    """A request breaks the Label Studio protocol."""

    status = 400


class TooLargeError(BackendError):
    """A request or an image is larger than the limits allow."""

    status = 413


class FetchError(BackendError):
    """An image or an answer of Label Studio cannot be fetched."""

    status = 502


class RefusedError(BackendError):
    """An address or a path may not be read."""

    status = 403


class NotReadyError(BackendError):
    """The model still loads, or could not be loaded."""

    status = 503


class BusyError(BackendError):
    """More requests wait than the limit allows."""

    status = 503


class RecordsError(BackendError):
    """The records cannot be opened, read or written."""

    status = 507


class CancelledError(BackendError):
    """What was asked for is not wanted any more, or the backend stops."""

    status = 503


class StudioError(BackendError):
    """The local Label Studio cannot be installed, started or set up."""
