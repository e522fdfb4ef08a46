//! The verifier from outside: vectors that both verifiers agree on, and changes that none accepts.

mod cases;
mod command;
mod mutations;
mod python;
mod sample;
mod vectors;
