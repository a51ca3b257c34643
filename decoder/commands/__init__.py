"""The commands of ``python -m decoder``: each module has ``add_arguments`` and ``run``."""
