//! The room from outside.

mod cloudtrail;
