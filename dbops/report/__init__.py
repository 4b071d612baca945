"""Results as text, JSON, Nagios lines or HTML: pure functions from structs of the model to strings."""
