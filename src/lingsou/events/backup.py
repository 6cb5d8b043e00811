"""Events in the backup of a data folder."""

from lingsou.catalog.backup import Companion
from lingsou.events.tables import EVENTS_SCHEMA, events_url

EVENTS = Companion("events.sqlite3", EVENTS_SCHEMA, events_url)
"""Events and searches, wherever they live."""
