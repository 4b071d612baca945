"""Can we get it back: decisions about backups. Facts in, answers out; no I/O, no clock, no randomness."""
