"""Check what may be sent, put into it what is known of a person, and make WeChat's call of it."""
