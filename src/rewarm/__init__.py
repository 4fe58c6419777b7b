"""rewarm."""

from rewarm.version import __version__ as __version__
