"""ganface: a folder of anime faces goes in, a generator that draws new ones comes out."""

__version__ = "0.1.0"
