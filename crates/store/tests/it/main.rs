//! The store behind a real journal: what was acknowledged is visible, once, whatever happens
//! between.

mod erase;
mod home;
mod leftovers;
mod life;
mod loss;
mod merges;
mod model;
