//! Images of containers, written as archives that every registry client and runtime takes, without a daemon.
//!
//! A [`Tree`] is what is in one, an [`Image`] what is said about it. The same tree and words make the same bytes: paths
//! are sorted, everything belongs to root, and the only time is the one given.

mod archive;
mod image;
mod libraries;
mod tree;

pub use image::{Image, Written};
pub use libraries::libraries;
pub use tree::Tree;
