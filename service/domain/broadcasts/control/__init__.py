"""Let people decide about broadcasts: approve, pause, resume, retry, cancel and change them."""
