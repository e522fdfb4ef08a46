//! The whole server over HTTP, with the rooms behind it as they are.

mod acts;
mod audit;
mod bad_input;
mod contract;
mod erasure;
mod idempotency;
mod isolation;
mod logins;
mod logs;
mod logs_import;
mod logs_masks;
mod logs_rules;
mod matrix;
mod node;
mod openapi;
mod operations;
mod pages;
mod paging;
mod removals;
mod scenarios;
mod stream;
mod traces;
mod trouble;
