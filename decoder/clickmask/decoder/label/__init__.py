"""Whole data sets: every object gets a fine mask, what is done is on the disk, and a page shows what needs eyes."""

from clickmask.decoder.label.journal import Journal, JournalEntry
from clickmask.decoder.label.run import FindEverything, Job, PictureTask, UpgradeDataset, run_job
from clickmask.decoder.label.upgrade import LabeledObject, upgrade_objects

__all__ = [
    "FindEverything",
    "Job",
    "Journal",
    "JournalEntry",
    "LabeledObject",
    "PictureTask",
    "UpgradeDataset",
    "run_job",
    "upgrade_objects",
]
