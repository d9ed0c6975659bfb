"""Have uvicorn speak HTTP and WebSocket with our time limits, pings and pushed frames."""
