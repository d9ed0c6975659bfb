"""Make ad tags, keep their members, and serve the ad return address."""
