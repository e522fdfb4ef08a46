//! A scope to read cannot be used where one to append is asked, nor turned into one.

use ledgerline_policy::{Append, Read, Scope, Upkeep};

fn append(_scope: &Scope<Append>) {}

fn misuse(read: &Scope<Read>, upkeep: &Scope<Upkeep>) {
    append(read);
    append(upkeep);
    append(&read.clone().into());
}

fn main() {}
