"""Robots among the shoppers: by what they call themselves, and by how they behave."""

import re

import numpy as np
from numpy.typing import NDArray

from lingsou.events.columns import EventColumns
from lingsou.events.sessions import codes_of

MAX_CLICKS_A_MINUTE = 60
"""More deliberate actions in one minute than a hand can do."""

MONOTONE_FROM = 50
"""From so many actions on, a visitor who does one thing at one pace, or to one product, is a machine."""

_AGENT = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|scrap|curl/|wget|python-|httpx|aiohttp|okhttp|go-http|java/|libwww|headless|phantomjs|"
    r"selenium|puppeteer|playwright|lighthouse|pingdom|uptime|monitor|preview|facebookexternalhit|whatsapp/|bytespider|"
    r"baiduspider|sogou|yisouspider|360spider|gptbot|claudebot|ccbot|feedfetcher|archiver",
    re.IGNORECASE,
)


def is_bot_agent(user_agent: str) -> bool:
    """Whether a `User-Agent` header is that of a crawler or a program, or is missing."""
    return not user_agent.strip() or _AGENT.search(user_agent) is not None


def behaves_like_a_bot(columns: EventColumns) -> NDArray[np.bool_]:
    """Which events [N] are of visitors who are too fast or too uniform; impressions do not count as actions."""
    found = np.zeros(len(columns), np.bool_)
    visitor = columns.visitor
    acts = ~np.isin(columns.action.astype(str), ("impression", "ad_impression")) & (visitor != "")
    codes = codes_of(visitor)
    places = np.flatnonzero(acts)
    places = places[np.argsort(codes[places], kind="stable")]
    for own in np.split(places, np.flatnonzero(np.diff(codes[places])) + 1):
        if len(own) > min(MAX_CLICKS_A_MINUTE, MONOTONE_FROM) - 1 and _is_machine(columns, own):
            found |= codes == codes[own[0]]
    return found


def _is_machine(columns: EventColumns, own: NDArray[np.int64]) -> bool:
    time = np.sort(columns.time[own])
    reach = MAX_CLICKS_A_MINUTE
    if len(time) > reach and bool((time[reach:] - time[:-reach] < 60_000).any()):
        return True
    if len(time) < MONOTONE_FROM:
        return False
    one_action = len(set(columns.action[own])) == 1
    pauses = np.diff(time)
    steady = bool(pauses.mean() > 0 and pauses.std() < 0.02 * pauses.mean())
    return one_action and (steady or len(set(columns.object_id[own])) == 1)
