//! The one entry for every chore.
fn main() {}
