//! Placeholder first line; see ARCHITECTURE.
