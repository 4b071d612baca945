"""The whole job in one minute, on a server that dbops starts itself, through nothing but the public operations."""
