//! The tracker against a slow reference, and scene by scene.

mod properties;
mod reference;
mod scenes;
mod world;
