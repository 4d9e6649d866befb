//! Messages that are initiated and executed at one timestamp.
