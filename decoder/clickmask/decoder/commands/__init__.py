"""The commands of ``clickmask``: each module has ``add_arguments`` and ``run``."""
