"""Call WeChat's server API: what a call is made of, how it is sent, and what its error codes ask for."""
