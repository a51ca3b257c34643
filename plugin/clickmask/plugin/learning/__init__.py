"""Each project's accepted objects teach the answers of that project, and of no other."""
