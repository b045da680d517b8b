//! Logging in, the account, the service itself.

cases! {}
