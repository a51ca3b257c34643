"""Tests on a real Ray cluster of this machine; `make test-ray` runs them, the other tests do without Ray."""
