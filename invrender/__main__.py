"""`python -m invrender`: the command line, where its script is not on the path."""

from invrender.cli.app import main

main()
