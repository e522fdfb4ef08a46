//! What a scope is for cannot be made outside either, and there is no default of it.

use ledgerline_model::id::DatasetName;
use ledgerline_policy::{OperatorScope, Read, Scope};

fn forge(dataset: DatasetName) -> Read {
    Read { dataset }
}

fn default() -> Scope<Read> {
    Scope::default()
}

fn operator(scope: &Scope<Read>) -> OperatorScope {
    OperatorScope { subject: scope.subject(), action: ledgerline_policy::Action::ManageTenants }
}

fn main() {}
