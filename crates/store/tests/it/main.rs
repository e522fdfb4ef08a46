//! The store behind a real journal: what was acknowledged is visible, once, whatever happens
//! between.

mod home;
mod life;
mod loss;
mod model;
