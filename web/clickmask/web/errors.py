"""Errors of the app that a person can cause, beside those of the decoder.

ClickMaskError (clickmask.decoder.errors)
└── DatasetError
    └── ConflictError   somebody else changed the same labels first
"""

from clickmask.decoder import DatasetError


class ConflictError(DatasetError):
    """Labels were changed elsewhere since they were read; nothing was written."""
