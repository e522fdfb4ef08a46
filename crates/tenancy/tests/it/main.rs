//! The records as the rest of the platform uses them.

mod access;
mod datasets;
mod isolation;
mod keys;
mod platform;
mod secrecy;
mod sessions;
mod users;
