"""Channels: a text sent to an address with Apprise, which knows Slack, Teams, e-mail, webhooks and more."""

from typing import Any, Literal

from apprise import Apprise, AppriseAsset, NotifyFormat

CONNECT_S = 5.0
READ_S = 15.0

Tone = Literal["info", "success", "warning", "failure"]

_ASSET = AppriseAsset(app_id="Malvakt", app_desc="Målvakt", async_mode=False, secure_logging=True)


class Channel:
    """One address."""

    def __init__(self, url: str) -> None:
        """Raises `ValueError` where Apprise does not know such an address."""
        plugin: Any = Apprise.instantiate(url, asset=_ASSET, suppress_exceptions=True)
        if plugin is None:
            raise ValueError("this is no address that Apprise knows")
        # Our texts are plain: what looks like markup in a name must not become any.
        plugin.notify_format = NotifyFormat.TEXT
        plugin.socket_connect_timeout = CONNECT_S
        plugin.socket_read_timeout = READ_S
        self._apprise = Apprise(asset=_ASSET)
        self._apprise.add(plugin)

    def send(self, title: str, body: str, tone: Tone) -> bool:
        """Send a text and wait until it was taken; whether it was."""
        return bool(self._apprise.notify(body, title, notify_type=tone, body_format=NotifyFormat.TEXT))


def is_usable(url: str) -> bool:
    """Whether an address is one that Apprise knows."""
    try:
        Channel(url)
    except ValueError:
        return False
    return True
