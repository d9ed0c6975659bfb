"""What is not GraphQL: WeChat's pushes, and how operators see that the process is well."""
