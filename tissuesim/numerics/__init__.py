"""One file per operator: formula, table, step limit; no run state."""
