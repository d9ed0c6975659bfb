"""What a developer runs beside the service: embedded servers and the demo."""
