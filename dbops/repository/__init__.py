"""The repository of backups: its layout on a store, its catalogue, its leases. A state database only caches it."""
