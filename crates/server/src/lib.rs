//! The server: joins the rooms. It decides who comes in, how much at once, and in which words every
//! answer is given.
//!
//! This room never stores, decodes or computes anything itself, and never opens a tenant's data
//! without a scope.

mod act;
pub mod admin;
mod answer;
mod app;
mod audit;
mod auth;
mod body;
pub mod config;
mod cosigning;
mod cursor;
mod desk;
mod door;
pub mod environment;
mod eraser;
mod error;
mod exchange;
mod extract;
mod jobs;
mod leftover;
mod listen;
pub mod logs;
mod lookup;
mod loops;
mod masking;
mod metrics;
mod node;
mod openapi;
mod otlp_shape;
mod recorder;
mod removal;
mod retiring;
mod revive;
mod road;
mod rotation;
mod routes;
mod rules;
mod server;
mod signing;
mod when;
mod witness;
mod workos_shape;

pub use cosigning::WitnessAddress;
pub use openapi::document;
pub use server::{Fatal, OPERATOR, Server, serve};
pub use witness::{WitnessConfig, WitnessServer};
