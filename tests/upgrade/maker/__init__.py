"""Drives one farmlokal binary to create the databases that later versions are tested with."""
