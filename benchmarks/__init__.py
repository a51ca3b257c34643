"""What the README's numbers come from; each program runs the peers side by side and prints ratios."""
