"""One command that installs Label Studio, starts it, connects the backend and opens a project to click in."""
