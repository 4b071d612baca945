"""The pytest plugin: fixtures that hand out real servers, and a summary that names what could not be tested."""
