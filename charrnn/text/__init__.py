"""From files to ids and back. Nothing here knows about networks."""
