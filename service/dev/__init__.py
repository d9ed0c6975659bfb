"""Run on one machine what production has elsewhere: embedded servers, their supervisor, and the demo."""
