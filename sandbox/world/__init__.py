"""A seeded synthetic world: people whose GA4 behaviour, CRM record and answer to a message fit together.

Nobody in it exists. The same arguments give the same world, byte for byte.
"""

from sandbox.world.generate import BREAKAGES, World, generate
from sandbox.world.response import Response, respond

__all__ = ["BREAKAGES", "Response", "World", "generate", "respond"]
