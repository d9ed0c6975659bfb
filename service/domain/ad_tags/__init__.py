"""Ad tags and the ad return address."""
