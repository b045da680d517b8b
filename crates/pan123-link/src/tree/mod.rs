//! Lists of direct links as text, and what they are made of.
//!
//! One link a line, grouped in folders, two spaces of indentation a level:
//!
//! ```text
//! films:
//!   127451136:1694101621:https://vip.123pan.cn/1812/films/autumn.mp4
//!   https://vip.123pan.cn/1812/films/winter.mp4
//! https://vip.123pan.cn/1812/readme.txt
//! ```
//!
//! [`UrlTree`](crate::UrlTree) is the list, read and walked without recursion: how deep it is does not matter.
//! The number in front of a link is its size in bytes or its time of modification; see [`LoneNumber`].

mod build;
mod names;
mod node;
mod print;
mod read;
pub(crate) mod url_tree;

pub use build::{FileLine, FolderMut};
pub use node::{Children, File, Folder, Node, TotalSize, Walk};
pub use read::{Dialect, LoneNumber, TreeReader};
