//! The server: joins the rooms. It decides who comes in, how much at once, and in which words every
//! answer is given.
//!
//! This room never stores, decodes or computes anything itself, and never opens a tenant's data
//! without a scope.

pub mod admin;
mod answer;
mod app;
mod audit;
mod auth;
mod body;
pub mod config;
mod cursor;
mod desk;
mod door;
pub mod environment;
mod error;
mod exchange;
mod leftover;
mod listen;
pub mod logs;
mod loops;
mod metrics;
mod node;
mod openapi;
mod otlp_shape;
mod road;
mod routes;
mod server;
mod when;

pub use openapi::document;
pub use server::{Fatal, OPERATOR, Server, serve};
