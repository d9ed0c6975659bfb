"""Write names as the API and what it stores for clients have them."""


def camel_case(name: str) -> str:
    """Return `deleteTag` for `delete_tag`, as GraphQL names what Python calls so."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
