"""Who may do what: pure decisions over one frozen snapshot."""
