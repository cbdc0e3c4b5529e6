"""What files say of the program that wrote them."""

from invrender import __version__

GENERATOR = f"invrender {__version__}"
