"""Refuse addresses of endpoints that are not public, as far as that is known when they are given."""

from contextlib import aclosing

from service.domain.runtime import Runtime
from service.entities.errors import FieldError
from service.webhooks.addresses import AddressRefusedError, read_address, require_public
from service.webhooks.names import NameResolver, NoAddressError


async def address_errors(runtime: Runtime, url: str) -> list[FieldError]:
    """Return why nothing may be sent to an address: its form, or what its name resolves to.

    A name that does not resolve passes: each attempt resolves it anew, and is then refused by the same rule.
    """
    allow_private = runtime.settings.webhooks.allow_private
    try:
        address = read_address(url, allow_private=allow_private)
        if address.ip is None and not allow_private:
            await _require_public_name(address.host)
    except AddressRefusedError as error:
        return [FieldError(("url",), "ADDRESS_REFUSED", str(error))]
    return []


async def _require_public_name(host: str) -> None:
    async with aclosing(NameResolver()) as resolver:
        try:
            require_public(await resolver.addresses(host), host)
        except NoAddressError:
            return
