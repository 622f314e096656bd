"""Run configs: the schema, the YAML reader and readable errors."""

from tissuesim.config.load import dump_config, load_config, load_config_text
from tissuesim.config.schema import RunConfig, json_schema

__all__ = ["RunConfig", "dump_config", "json_schema", "load_config", "load_config_text"]
