//! Questions to a snapshot: the search language, pipes and SQL, and their answers.
//!
//! This room knows one tenant at a time, the one of the snapshot that it is given; it never opens
//! anything itself.

pub mod answer;
pub mod budget;
pub mod error;
mod find;
pub mod lang;
mod sql;

pub use answer::{Bar, Cell, Field, Found, Order, Page, Place, Table, Values};
pub use budget::{Budget, Limits, Memory, Monotonic};
pub use error::{Error, ErrorKind, Result};
pub use find::{Target, analyse, context, fields, histogram, search, values};
pub use sql::{Tables, sql};
