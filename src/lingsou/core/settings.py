"""Settings of one data folder: `lingsou.toml` in it, overridden by environment variables.

`LINGSOU_SERVER__PORT=9000` sets `server.port`. Every field has a default, so an empty file is a valid one.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from lingsou.core.errors import ConfigurationError

SETTINGS_FILE = "lingsou.toml"
_UNKNOWN = "there is no such setting"
_CURE = "See docs/configuration.md for every setting."
_EMPTY_IS_NONE = BeforeValidator(lambda value: None if value == "" else value)


class Section(BaseModel):
    """Base of every settings section: unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StoreSettings(Section):
    """Where the truth lives."""

    url: Annotated[SecretStr | None, _EMPTY_IS_NONE] = Field(
        None, description="SQLAlchemy URL, e.g. `postgresql+psycopg://…`; none: SQLite inside the data folder"
    )


class ServerSettings(Section):
    """The HTTP service."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65_535)
    workers: int = Field(1, ge=1, le=64, description="serving processes; each reads the same index")
    max_body_mb: int = Field(32, ge=1, le=1024, description="largest request body, in MiB")
    log_format: Literal["json", "console"] = Field("json", description="`console` is for people")
    cors_origins: tuple[str, ...] = Field(
        (), description="origins whose pages may call this service from a browser, such as `https://shop.example`"
    )


class IndexSettings(Section):
    """The derived index."""

    poll_ms: int = Field(200, ge=10, le=10_000, description="how often indexer and workers look for changes")
    batch: int = Field(5_000, ge=1, le=100_000, description="changes taken from the log at a time")
    ann_from: int = Field(
        500_000, ge=1, description="so many vectors are searched approximately, by lists; fewer are all compared"
    )


class FieldWeights(Section):
    """How often each field's text counts in the lexical score (BM25F weights; 0 leaves the field out)."""

    title: int = Field(3, ge=0, le=20)
    brand: int = Field(2, ge=0, le=20)
    short_description: int = Field(2, ge=0, le=20)
    identifiers: int = Field(2, ge=0, le=20, description="id, sku, mpn and ean as words")
    category: int = Field(2, ge=0, le=20)
    attributes: int = Field(1, ge=0, le=20, description="text values of attributes, and tags")
    description: int = Field(0, ge=0, le=20)


class SearchSettings(Section):
    """How words are scored, and what they weigh beside meaning."""

    weights: FieldWeights = FieldWeights()
    k1: float = Field(1.2, ge=0, le=10, description="BM25 term-frequency saturation")
    b: float = Field(0.75, ge=0, le=1, description="BM25 length normalisation")
    coverage: float = Field(
        0.25, ge=0, le=1, description="share of the query's information (IDF) that a product must contain to match"
    )
    lexical_weight: float = Field(
        0.4, ge=0.01, le=5, description="of words beside meaning in the order; `lingsou tune` fits it to judgements"
    )
    recent_matches_mb: int = Field(
        32,
        ge=0,
        le=4_096,
        description="memory for the match sets of the latest queries, for their pages and filters",
    )


class EncoderSettings(Section):
    """The text encoder behind search by meaning."""

    name: str = Field(
        "e5-small", description="a model of the models folder, a path, or a hub id; empty: search by words alone"
    )
    models: Annotated[Path | None, _EMPTY_IS_NONE] = Field(
        None, description="where models lie; default: $LINGSOU_MODELS_DIR, else ~/.local/share/lingsou/models"
    )
    threads: int = Field(0, ge=0, le=256, description="documents encoded at once; 0: one for each core")
    max_tokens: int = Field(96, ge=8, le=512, description="of one text; longer ones are cut")
    budget_ms: int = Field(100, ge=1, le=10_000, description="a query not encoded by then is searched by words alone")
    cache: int = Field(10_000, ge=0, le=1_000_000, description="query vectors kept in memory")

    @property
    def models_dir(self) -> Path:
        """Where models lie."""
        if self.models:
            return self.models
        home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        return Path(os.environ.get("LINGSOU_MODELS_DIR") or Path(home) / "lingsou" / "models")


CorrectionUse = Literal["apply", "offer", "never"]
ExpansionSource = Literal["bilingual", "synonym", "catalogue", "encoder", "searches", "clicks"]


class UnderstandingSettings(Section):
    """What is read from a shopper's words."""

    correct: CorrectionUse = Field(
        "apply",
        description="a misspelt query, if sure enough; `offer` only asks, `never` takes words as they are spelt",
    )
    expansions: tuple[ExpansionSource, ...] = Field(
        ("bilingual", "synonym", "searches", "clicks"),
        description="other names of what a query names that widen a search, by their source",
    )
    personal: bool = Field(
        True, description="a shopper's brands and sizes lift products of a vague query, while no ranker is trained"
    )
    intent_rules: Annotated[str | None, _EMPTY_IS_NONE] = Field(
        None, description="rules that tell the intent beside the learned head: `cues`, or a plug-in's name; none: none"
    )
    rewriter: Annotated[str | None, _EMPTY_IS_NONE] = Field(
        None,
        description="names other words for a query: `chat` asks the model of `llm`, or a plug-in; none: nothing",
    )
    rewriter_budget_ms: int = Field(
        50, ge=0, le=10_000, description="a search waits so long for it; what comes later serves the next one"
    )


class LlmSettings(Section):
    """A language model that parts of the system may ask; none is needed."""

    url: Annotated[str | None, _EMPTY_IS_NONE] = Field(
        None, description="of a service that speaks the chat completions protocol, up to `/v1`"
    )
    model: Annotated[str | None, _EMPTY_IS_NONE] = Field(None, description="name of the model there")
    key: Annotated[SecretStr | None, _EMPTY_IS_NONE] = Field(None, description="a bearer token; best by variable")
    timeout_s: float = Field(20.0, gt=0, le=600, description="an answer that takes longer is given up")


class RankingSettings(Section):
    """The learned order of results, variety among them, and places for what nobody has seen yet."""

    enabled: bool = Field(True, description="order results by the trained ranker and reranker, where there are such")
    depth: int = Field(200, ge=10, le=1_000, description="best products that are reordered; what follows stays")
    budget_ms: int = Field(20, ge=1, le=1_000, description="a search whose reordering takes longer goes without it")
    reranker: str = Field("onnx", min_length=1, description="what runs the model that reads query and product together")
    rerank_depth: int = Field(50, ge=0, le=200, description="best products that it reads; 0: none")
    rerank_budget_ms: int = Field(150, ge=1, le=10_000, description="a search that it takes longer for goes without it")
    rerank_weight: float = Field(0.7, ge=0, le=1, description="what its score counts beside the ranker's, of 1")
    diversity: float = Field(
        0.0, ge=0, le=1, description="what variety of brand and category counts among the first 50; 0: nothing"
    )
    freshness: float = Field(
        0.0, ge=0, le=0.5, description="share of a recommended list that goes to candidates of the last 30 days"
    )
    exploration: int = Field(
        0, ge=0, le=2, description="places of the first 20 that go to products further behind, chosen by chance"
    )


class QualitySettings(Section):
    """What findings of the quality checks lead to."""

    profile: str = Field(
        "default",
        min_length=1,
        description="what `import` holds back: `strict`, `default`, `lenient`, or a TOML file, from this folder",
    )
    seller: str = Field(
        "",
        max_length=120,
        pattern=r"^(attributes\..+|brand|group_id|)$",
        description="field that names a product's seller, as `attributes.NAME`; empty: the usual names",
    )


class EventSettings(Section):
    """What shoppers do, and what they search for."""

    url: Annotated[SecretStr | None, _EMPTY_IS_NONE] = Field(
        None,
        description="SQLAlchemy URL; none: the store's database if it has a URL, else SQLite inside the data folder",
    )
    secret: Annotated[SecretStr | None, _EMPTY_IS_NONE] = Field(
        None, description="keys the hashes of shoppers' ids; none: `secret.key` in the data folder, made at first use"
    )
    keep_days: int = Field(365, ge=1, le=36_500, description="events and searches older than this are deleted")
    key_required: bool = Field(False, description="take events only with an API key; browsers cannot keep one")


class ConsoleSettings(Section):
    """The web pages."""

    storefront: bool = Field(True, description="show the shop's pages beside the API")
    operations: bool = Field(True, description="show the pages of those who run the shop, behind a login, at `/ops/`")
    shop_name: str = Field("Lingsou", min_length=1, max_length=60, description="stands at the top of every page")
    language: Literal["auto", "zh", "en"] = Field("auto", description="of the pages; `auto`: what the browser prefers")
    personal: bool = Field(
        True, description="note what shoppers do on the shop's pages, and show each a row of their own"
    )
    rows_budget_ms: int = Field(
        200, ge=1, le=10_000, description="a page goes without recommended rows not there by then"
    )
    media: Annotated[Path | None, _EMPTY_IS_NONE] = Field(
        None, description="folder that relative picture paths start from; none: `feed` in the data folder"
    )


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="LINGSOU_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    currency: str = Field("CNY", pattern=r"^[A-Z]{3}$", description="for products whose feed names none")
    store: StoreSettings = StoreSettings()
    server: ServerSettings = ServerSettings()
    index: IndexSettings = IndexSettings()
    search: SearchSettings = SearchSettings()
    encoder: EncoderSettings = EncoderSettings()
    understanding: UnderstandingSettings = UnderstandingSettings()
    llm: LlmSettings = LlmSettings()
    ranking: RankingSettings = RankingSettings()
    quality: QualitySettings = QualitySettings()
    events: EventSettings = EventSettings()
    console: ConsoleSettings = ConsoleSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file (which arrives as init arguments)."""
        return env_settings, init_settings


class DataFolder:
    """The places inside one data folder. Creates nothing by itself."""

    def __init__(self, root: Path | str):
        self.root = Path(root)
        self.settings_file = self.root / SETTINGS_FILE
        self.database = self.root / "store.sqlite3"
        self.index = self.root / "index"
        self.rejects = self.root / "rejects"
        self.lexicon = self.root / "lexicon.txt"
        self.events = self.root / "events.sqlite3"
        self.secret = self.root / "secret.key"
        self.indexer_lock = self.root / "indexer.lock"
        self.models = self.root / "models"
        self.ranker = self.models / "ranker"
        self.reranker = self.models / "reranker"
        self.recommender = self.models / "recommender"
        self.encoder = self.models / "encoder"
        self.heads = self.root / "heads"
        self.query_labels = self.root / "labels" / "queries.jsonl"
        self.mined_names = self.root / "expansions" / "mined_names.tsv"
        self.dropped_names = self.root / "expansions" / "dropped_names.tsv"
        self.translations = self.root / "training" / "translations.jsonl"

    def exists(self) -> bool:
        """Whether `lingsou init` was run here."""
        return self.settings_file.is_file()


def load_settings(folder: DataFolder) -> Settings:
    """Read the folder's settings.

    Raises:
        ConfigurationError: the folder was never initialised, or a key or value is wrong.
    """
    if not folder.exists():
        raise ConfigurationError(
            f"There is no {SETTINGS_FILE} in '{folder.root}'.", cure=f"lingsou init --data {folder.root}"
        )
    try:
        values: dict[str, Any] = tomllib.loads(folder.settings_file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(
            f"{folder.settings_file} cannot be read: {error.strerror}.", cure="Check its permissions."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{folder.settings_file} is not valid TOML: {error}.", cure="Mend that line."
        ) from error
    for name in values.keys() - Settings.model_fields.keys():  # some would steer BaseSettings itself
        raise ConfigurationError(f"{folder.settings_file}: {_UNKNOWN}.", field=name, cure=_CURE)
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = [str(part) for part in first["loc"]]
        variable = f"LINGSOU_{'__'.join(path)}".upper()
        source = f"The variable {variable}" if variable in os.environ else folder.settings_file
        what = _UNKNOWN if first["type"] == "extra_forbidden" else first["msg"]
        raise ConfigurationError(f"{source}: {what}.", field=".".join(path), cure=_CURE) from error
    except SettingsError as error:
        raise ConfigurationError(f"An environment variable LINGSOU_…: {error}.", cure=_CURE) from error


def default_data_folder() -> Path:
    """`LINGSOU_DATA_DIR`, else `lingsou-data` in the working folder."""
    return Path(os.environ.get("LINGSOU_DATA_DIR") or "lingsou-data")
