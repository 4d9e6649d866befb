//! The tracker against a slow reference, and scene by scene.

mod orders;
mod properties;
mod reference;
mod scenes;
mod world;
