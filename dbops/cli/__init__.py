"""The command line: each command parses, calls one operation of the library, and renders its result."""
