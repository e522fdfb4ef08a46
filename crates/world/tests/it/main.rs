//! Sealed objects on disks that are changed, cut off and put back behind the room's back.

mod archive;
mod blobs;
mod crash;
mod golden;
mod keyring;
mod support;
