"""Is it well: facts in, answers out. Nothing here reads or writes anything."""
