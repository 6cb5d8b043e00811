"""Events and searches of one data folder, opened together."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lingsou.core.database import Database
from lingsou.core.settings import DataFolder, Settings
from lingsou.events.log import SqlEventLog
from lingsou.events.privacy import Privacy
from lingsou.events.searches import SearchLog
from lingsou.events.tables import events_url, open_database


@dataclass(frozen=True)
class Behaviour:
    """What shoppers do: the two logs over one database, and what makes them private."""

    database: Database
    privacy: Privacy
    events: SqlEventLog
    searches: SearchLog

    def expire(self, keep_days: int) -> int:
        """Delete what is older; how many rows."""
        before = datetime.now(UTC) - timedelta(days=keep_days)
        return self.events.expire(before) + self.searches.expire(before)

    def close(self) -> None:
        """Write what waits, and let go of the database."""
        self.searches.close()
        self.database.close()

    def __enter__(self) -> "Behaviour":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_behaviour(folder: DataFolder, settings: Settings) -> Behaviour:
    """The logs of a data folder; made at first use, the secret too.

    Raises:
        ConfigurationError: the URL or the secret is wrong, or the tables are of a newer version.
        StorageError: the database cannot be reached.
    """
    privacy = Privacy.of(folder, settings)
    database = open_database(events_url(folder, settings))
    return Behaviour(database, privacy, SqlEventLog(database, privacy), SearchLog(database, privacy))
