"""So that `python -m malvakt` is the same as `malvakt`."""

from malvakt.cli import main

main()
