"""Treatment: from what a config lists to events on the integer clock, a timeline and release certificates."""

from tissuesim.treatment.events import Event, events, validate_events
from tissuesim.treatment.release import certificates, refuse_unreleased
from tissuesim.treatment.timeline import timeline

__all__ = ["Event", "certificates", "events", "refuse_unreleased", "timeline", "validate_events"]
