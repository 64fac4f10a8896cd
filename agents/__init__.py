"""The Faust agents, thin: decode, call the domain, deliver."""
