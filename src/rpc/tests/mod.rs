//! Every method, called over a socket.

mod interop;
mod messages;
mod supervisor;
mod world;
