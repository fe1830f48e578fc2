"""The tools that have registered themselves, and what each is told and may use."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Tool:
    """One of them, as it described itself."""

    client_id: str
    deployment_id: str
    name: str
    description: str
    target_link_uri: str
    initiate_login_uri: str
    redirect_uris: tuple[str, ...]
    jwks_uri: str
    logo_uri: str
    claims: tuple[str, ...]
    scopes: tuple[str, ...]
    links: bool
    is_active: bool


class Tools(dict[str, Tool]):
    """By client id; and the registration tokens that have been used, by their subject."""

    def __init__(self) -> None:
        super().__init__()
        self.used_tokens: set[str] = set()

    def is_active(self, client_id: str) -> bool:
        return client_id in self and self[client_id].is_active

    def activate(self, client_id: str) -> None:
        """What the administrator does with a pending tool."""
        self[client_id] = replace(self[client_id], is_active=True)

    def to_keep(self) -> dict[str, Any]:
        return {
            "tools": [asdict(tool) for tool in self.values()],
            "used_tokens": sorted(self.used_tokens),
        }

    def load(self, kept: Mapping[str, Any]) -> None:
        self.used_tokens = set(kept.get("used_tokens", ()))
        self.update({tool["client_id"]: _tool(tool) for tool in kept.get("tools", ())})


def _tool(kept: Mapping[str, Any]) -> Tool:
    lists: Iterable[tuple[str, tuple[str, ...]]] = (
        (name, tuple(value)) for name, value in kept.items() if isinstance(value, list)
    )
    return Tool(**{**kept, **dict(lists)})
