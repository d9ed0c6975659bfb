"""Take in what WeChat tells of messages after they were sent, by its pushes or when it is asked."""
