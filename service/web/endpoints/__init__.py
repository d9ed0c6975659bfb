"""Serve HTTP besides GraphQL: WeChat, the ad platform, integrators, files, health."""
