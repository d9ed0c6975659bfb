"""HTTP endpoints beside GraphQL: WeChat, ad platform, integrators, files, health."""
