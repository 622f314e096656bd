"""Shipped descriptions: models, organs, diseases, treatments, trials and runs, all as YAML files."""
