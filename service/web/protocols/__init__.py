"""How uvicorn speaks HTTP and WebSocket for us: time limits, pings, pushed frames."""
