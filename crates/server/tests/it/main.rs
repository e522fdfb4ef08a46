//! The whole server over HTTP, with the rooms behind it as they are.

mod audit;
mod bad_input;
mod contract;
mod idempotency;
mod isolation;
mod matrix;
mod node;
mod openapi;
mod operations;
mod pages;
mod paging;
