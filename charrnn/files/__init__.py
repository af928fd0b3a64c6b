"""Files: atomic replacement, locks, and strict reading of untrusted archives. Nothing here knows models."""
