"""Unattended work: when it is due, running it on many targets, and handing it to a scheduler."""
