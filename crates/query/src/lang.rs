//! The search language and its pipes: text to tree, and tree to text.

pub mod ast;
mod caret;
mod parse;
pub mod pattern;
mod print;
pub mod regex_literal;
pub mod time;
pub mod width;

pub use ast::{Query, Search};
pub use parse::{parse, parse_search};
