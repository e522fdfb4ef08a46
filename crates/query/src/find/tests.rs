//! The whole of `find` against the oracle, and the points that are easy to get wrong.

mod budget;
mod cases;
mod properties;
mod sample;
