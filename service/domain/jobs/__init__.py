"""Start jobs, process them in slices on any worker, and let users watch and cancel them."""
