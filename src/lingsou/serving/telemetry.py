"""Prometheus metrics, added up over all workers, and structured logs."""

import logging
import os
import sys
from typing import Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class Telemetry:
    """The metrics of one worker. With several, files in `PROMETHEUS_MULTIPROC_DIR` add them up."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "lingsou_requests_total", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "lingsou_request_seconds", "Time to answer.", ["route"], buckets=_BUCKETS, registry=self._registry
        )
        self._stages = Histogram(
            "lingsou_search_stage_seconds", "Time in one stage of a search.", ["stage"], buckets=_BUCKETS,
            registry=self._registry,
        )  # fmt: skip
        self._empty = Counter("lingsou_searches_empty_total", "Searches without a result.", registry=self._registry)
        self._dropped = Counter(
            "lingsou_search_log_dropped_total", "Searches that the search log lost.", registry=self._registry
        )
        self._events = Counter("lingsou_events_total", "Events received.", ["outcome"], registry=self._registry)
        self._products = self._gauge("lingsou_index_products", "Products that can be found.")
        self._lag = self._gauge("lingsou_index_lag_changes", "Changes in the store that the index does not show yet.")

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry, multiprocess_mode="livemostrecent")

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def observe_search(self, stages: dict[str, float], total: int) -> None:
        """Record the stages (name → ms) of one search."""
        for stage, ms in stages.items():
            self._stages.labels(stage).observe(ms / 1_000)
        if total == 0:
            self._empty.inc()

    def count_dropped_searches(self, count: int) -> None:
        """Count searches that are not in the search log."""
        self._dropped.inc(count)

    def count_events(self, **outcomes: int) -> None:
        """Count events by what became of them."""
        for outcome, count in outcomes.items():
            self._events.labels(outcome).inc(count)

    def observe_index(self, products: int, lag: int) -> None:
        """Record the state of the index."""
        self._products.set(products)
        self._lag.set(lag)

    def exposition(self) -> bytes:
        """The Prometheus text format, over all workers."""
        if MULTIPROCESS_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def configure_logging(style: Literal["json", "console"]) -> None:
    """Send structured logs to standard error; `console` is for people."""
    renderer: structlog.typing.Processor
    renderer = structlog.dev.ConsoleRenderer() if style == "console" else structlog.processors.JSONRenderer()
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
