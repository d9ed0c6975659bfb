"""Say when a channel's broadcasts may send, how often somebody is written to, and who has to agree."""
