//! The tracker against a slow reference, and scene by scene.

mod orders;
mod properties;
mod pruned;
mod reference;
mod scene;
mod scenes;
mod world;
