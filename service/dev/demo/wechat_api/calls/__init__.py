"""Answer the calls of the imitated server API, one module for each group of WeChat's documents."""
