"""The node over HTTP: the portal and the interfaces for programs, all of it through the door."""
