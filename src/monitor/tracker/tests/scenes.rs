//! One scene at a time, with the events that it leads to.
