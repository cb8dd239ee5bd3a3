"""Connections to the world: one vendor a module. Thin."""
