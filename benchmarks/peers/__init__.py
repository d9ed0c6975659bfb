"""Other GraphQL servers, asked the same as ours."""
