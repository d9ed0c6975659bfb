"""Send a message to the people of an audience: to everybody once, with nobody lost and the uncertain named."""
