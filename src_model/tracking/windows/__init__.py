"""Windows that follow small objects, so that the network sees them at native resolution."""
