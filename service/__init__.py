"""User tags of a chatbot's WeChat channels: kept true as events and time pass, shown live."""

__version__ = "0.1.0"
