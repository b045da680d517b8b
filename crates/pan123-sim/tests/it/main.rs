//! The simulator, asked with plain HTTP requests written from the protocol reference.

mod client;
mod downloads;
mod faults;
mod files;
mod lenient;
mod program;
mod strict;
mod tokens;
mod uploads;
