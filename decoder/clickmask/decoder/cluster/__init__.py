"""More than one machine, on Ray: data sets labeled by many workers, clicks answered by many replicas."""
