//! An in-process superchain on loopback: a real EVM, real gossip, scripted faults.
//!
//! It talks to the sidecar over sockets only, and the sidecar never depends on it.
