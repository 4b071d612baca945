"""Where bytes rest: the protocol of a store, and the stores."""
