"""The preflight of an alerter: does Slack know the token, and may it post where it is to post?"""

from collections.abc import Iterator
from typing import Any

from app.stacks.definition import Component, PreflightFinding

_SECONDS = 10
_MEND = {
    "channel_not_found": "write the channel's ID (it begins with C), and invite the app: /invite @…",
    "missing_scope": "give the app the scopes chat:write and channels:read (groups:read for a private channel)",
}
_NEW_TOKEN = "take the bot's token (it begins with xoxb-) from `OAuth & Permissions` of the app"  # noqa: S105


def alerter_findings(component: Component, config: Any) -> Iterator[PreflightFinding]:
    """What keeps a Slack alerter from posting; nothing is posted. Other flavors are not looked at."""
    if component.type != "alerter" or component.flavor != "slack":
        return
    if not config.slack_channel_id:
        yield PreflightFinding(
            f"{component.title}: it names no channel", "write slack_channel_id: C… into its configuration"
        )
        return
    from slack_sdk.errors import SlackApiError

    try:
        _ask(str(config.slack_token), str(config.slack_channel_id))
    except SlackApiError as error:
        said = str(error.response.get("error"))
        yield PreflightFinding(f"{component.title}: Slack refuses: {said}", _MEND.get(said, _NEW_TOKEN))
    except OSError as error:
        yield PreflightFinding(
            f"{component.title}: Slack cannot be reached: {error}", "check the network and its proxy"
        )
    except KeyError:  # a secret that is not there, reported with the component
        return


def _ask(token: str, channel: str) -> None:
    """What ZenML asks when it registers the alerter."""
    from slack_sdk import WebClient

    client = WebClient(token=token, timeout=_SECONDS)
    client.auth_test()
    client.conversations_info(channel=channel)
