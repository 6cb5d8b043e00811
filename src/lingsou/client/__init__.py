"""Python client of the HTTP API: `Client` blocks, `AsyncClient` awaits; both give the types of `lingsou.core`."""

from lingsou.client.asynchronous import AsyncClient as AsyncClient
from lingsou.client.calls import Answer as Answer
from lingsou.client.calls import Label as Label
from lingsou.client.calls import TaskStatus as TaskStatus
from lingsou.client.calls import Written as Written
from lingsou.client.errors import ServiceError as ServiceError
from lingsou.client.errors import UnreachableError as UnreachableError
from lingsou.client.synchronous import Client as Client
