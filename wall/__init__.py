"""The wall: a local view of what is published, an API over it, and the page that a sales floor looks at."""
