//! `ledgerline admin`: looks after a data folder that no server holds, and makes tenants, users and
//! keys on a server that runs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ledgerline_server::admin::{self, Report, Which};

use crate::api::{self, Login};
use crate::client::Client;
use crate::clock;
use crate::failure::{DONE, FINDINGS, Failure, Outcome};
use crate::node;
use crate::output::{self, Output};
use crate::printable::printable;

const HELP: &str = "\
Examples:
  ledgerline admin fsck --data ./data
  ledgerline admin compact --data ./data --tenant acme
  LEDGERLINE_PASSWORD=… ledgerline admin tenant acme --admin ada@acme.example
  LEDGERLINE_PASSWORD=… ledgerline admin key --email ada@acme.example shipper --scope 'ingest:*'

archive, compact, expire and fsck open the folder themselves: the server that holds it must not be
running.

Exit code: 0 when all is sound; 3 when something was found, which is printed; 1 when the check or
the change could not be made.";

/// Look after a data folder, and make tenants, users and keys.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Merge small segments now.
    Compact(Folder),
    /// Check every checksum, and make a lost catalog again from its segments.
    Fsck(Folder),
    /// Delete what is past its dataset's retention now.
    Expire(Folder),
    /// Move what is old to the archive now.
    Archive(Folder),
    /// Make a tenant with its first admin, as the operator.
    Tenant(NewTenant),
    /// Make a user, as an admin.
    User(NewUser),
    /// Make an API key, as an admin; the secret is printed this once.
    Key(NewKey),
}

/// Which data.
#[derive(Debug, Args)]
struct Folder {
    /// The data folder, which no server holds.
    #[arg(long, env = "LEDGERLINE_DATA", default_value = "data")]
    data: PathBuf,
    /// The folder of its archive, if it has one.
    #[arg(long, env = "LEDGERLINE_ARCHIVE")]
    archive: Option<PathBuf>,
    /// Only this tenant, by name or id; every tenant when not given.
    #[arg(long)]
    tenant: Option<String>,
}

/// Who asks, with a password from the environment, where `ps` does not show it.
#[derive(Debug, Args)]
struct Person {
    /// The server's address.
    #[arg(long, env = "LEDGERLINE_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The address of the login; the operator's, for `tenant`.
    #[arg(long, default_value = "operator@localhost")]
    email: String,
    /// The tenant to log in to, where the address is a user of several.
    #[arg(long)]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
struct NewTenant {
    #[command(flatten)]
    person: Person,
    /// The name: 1 to 64 characters of a-z, 0-9 and '-'.
    name: String,
    /// The address of its first admin; its password is LEDGERLINE_NEW_PASSWORD, or made up and
    /// printed.
    #[arg(long)]
    admin: String,
}

#[derive(Debug, Args)]
struct NewUser {
    #[command(flatten)]
    person: Person,
    /// The address; the password is LEDGERLINE_NEW_PASSWORD, or made up and printed.
    address: String,
    /// What the user may do.
    #[arg(long, default_value = "user", value_parser = ["admin", "auditor", "user"])]
    role: String,
}

#[derive(Debug, Args)]
struct NewKey {
    #[command(flatten)]
    person: Person,
    /// What the key is called.
    name: String,
    /// What it may do: ingest:*, ingest:logs:DATASET, query:*, query:DATASET or admin:*. May be
    /// given several times.
    #[arg(long = "scope", required = true)]
    scopes: Vec<String>,
    /// When it ends, as RFC 3339.
    #[arg(long)]
    expires_at: Option<String>,
}

/// The environment variable with the password of who asks.
const PASSWORD: &str = "LEDGERLINE_PASSWORD";
/// The environment variable with the password of who is made.
const NEW_PASSWORD: &str = "LEDGERLINE_NEW_PASSWORD";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let mut output = Output::open();
    let outcome = match &arguments.task {
        Task::Compact(folder) => folder.chore(admin::compact, &mut output),
        Task::Fsck(folder) => folder.chore(admin::fsck, &mut output),
        Task::Expire(folder) => folder.chore(admin::expire, &mut output),
        Task::Archive(folder) => folder.chore(admin::archive, &mut output),
        Task::Tenant(new) => create_tenant(new, &mut output),
        Task::User(new) => create_user(new, &mut output),
        Task::Key(new) => create_key(new, &mut output),
    }?;
    output.flush()?;
    Ok(outcome)
}

impl Folder {
    fn chore(
        &self,
        chore: impl Fn(&Which) -> anyhow::Result<Report>,
        output: &mut Output,
    ) -> Result<Outcome, Failure> {
        let Self { data, archive, tenant } = self;
        let archive = archive.clone().filter(|folder| !folder.as_os_str().is_empty());
        let which = Which { data: data.clone(), archive, tenant: tenant.clone() };
        let report = chore(&which).map_err(|error| node::start_failure(&error))?;
        report.done.iter().try_for_each(|line| output.line(printable(line)))?;
        for problem in &report.problems {
            output.line(format_args!("found: {}", printable(problem)))?;
        }
        Ok(if report.problems.is_empty() { DONE } else { FINDINGS })
    }
}

fn create_tenant(new: &NewTenant, output: &mut Output) -> Result<Outcome, Failure> {
    let admin = new_login(&new.admin);
    let made = api::create_tenant(&new.person.log_in()?, &new.name, &admin)?;
    let id = made.ok_or_else(|| {
        Failure::new(format!("there is a tenant {} already", new.name)).hint("choose another name")
    })?;
    output.line(id)?;
    Ok(DONE)
}

fn create_user(new: &NewUser, output: &mut Output) -> Result<Outcome, Failure> {
    let admin = new.person.log_in()?;
    output.line(api::create_user(&admin, &new_login(&new.address), &new.role)?)?;
    Ok(DONE)
}

fn create_key(new: &NewKey, output: &mut Output) -> Result<Outcome, Failure> {
    let admin = new.person.log_in()?;
    let made = api::create_key(&admin, &new.name, &new.scopes, new.expires_at.as_deref())?;
    output::note(format_args!("key {}; its secret is not shown again", made.id));
    output.line(made.key)?;
    Ok(DONE)
}

/// The login of someone who is made; a password that is made up is printed.
fn new_login(email: &str) -> Login {
    let password = std::env::var(NEW_PASSWORD).unwrap_or_else(|_| {
        let password = clock::random_name();
        output::note(format_args!("password of {email}: {password}"));
        password
    });
    Login { email: email.to_owned(), password, tenant: None }
}

impl Person {
    fn log_in(&self) -> Result<Client, Failure> {
        let password = std::env::var(PASSWORD).map_err(|_| {
            Failure::new(format!("the password of {} is not given", self.email))
                .hint(format!("set {PASSWORD}"))
        })?;
        let login = Login { email: self.email.clone(), password, tenant: self.tenant.clone() };
        api::log_in(&Client::new(&self.url, None)?, &login)
    }
}
