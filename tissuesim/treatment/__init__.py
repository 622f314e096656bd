"""Treatment: from what a config lists to events on the integer clock."""

from tissuesim.treatment.events import Event, events, validate_events

__all__ = ["Event", "events", "validate_events"]
