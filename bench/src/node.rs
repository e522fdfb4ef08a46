//! A `ledgerline serve` process, and requests to it.

use std::ffi::OsString;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::process::{Spent, wait};

const OPERATOR: &str = "operator@localhost";
/// The passwords of everybody that a [`Node`] makes.
const PASSWORD: &str = "correct horse battery staple";
/// How long a start may take; it is looked at every few milliseconds.
const START_TIME_MAX: Duration = Duration::from_secs(120);
const START_WAIT: Duration = Duration::from_millis(10);
/// How long an answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(120);

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Launch {
    binary: PathBuf,
    data: PathBuf,
    front: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

/// A server process.
#[derive(Debug)]
pub struct Node {
    child: Child,
    binary: PathBuf,
    log: PathBuf,
    metrics_url: String,
    client: Client,
    ready_after: Duration,
    is_over: bool,
}

/// A tenant that a [`Node`] made, and its credentials.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// An access token of its admin.
    pub token: String,
    /// A key that may append and read.
    pub key: String,
}

impl Launch {
    /// This program with its data in this folder.
    #[must_use]
    pub fn new(binary: &Path, data: &Path) -> Self {
        Self {
            binary: binary.to_owned(),
            data: data.to_owned(),
            front: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// With another program in front of it, which must end by becoming the program that its last
    /// arguments name (`exec "$@"`).
    #[must_use]
    pub fn behind<S: Into<OsString>>(mut self, front: impl IntoIterator<Item = S>) -> Self {
        self.front = front.into_iter().map(Into::into).collect();
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Where its data is.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where what it logs goes: `serve.log` beside the data.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.data.with_extension("serve.log")
    }

    /// Starts the server and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn start(&self) -> Result<Node> {
        let (listen, metrics) = (free_address()?, free_address()?);
        let log =
            File::options().create(true).append(true).open(self.log()).context("the log file")?;
        let mut line = self.front.iter().cloned().chain([self.binary.clone().into()]);
        let mut command = Command::new(line.next().context("no program")?);
        command
            .args(line)
            .arg("serve")
            .arg("--data")
            .arg(&self.data)
            .args(["--listen", &listen, "--metrics-listen", &metrics])
            .env("LEDGERLINE_OPERATOR_PASSWORD", PASSWORD)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let started = Instant::now();
        let mut node = Node {
            child: command.spawn().context("starting the server")?,
            binary: self.binary.clone(),
            log: self.log(),
            metrics_url: format!("http://{metrics}"),
            client: Client::new(&format!("http://{listen}"), ANSWER_TIME_MAX),
            ready_after: Duration::ZERO,
            is_over: false,
        };
        node.wait_until_ready(started)?;
        Ok(node)
    }
}

impl Node {
    /// Starts a server with its data in a folder and waits until it is ready. What it logs goes to
    /// `serve.log` beside the data.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn start(binary: &Path, data: &Path) -> Result<Self> {
        Launch::new(binary, data).start()
    }

    fn wait_until_ready(&mut self, started: Instant) -> Result<()> {
        while started.elapsed() < START_TIME_MAX {
            if let Some(status) = self.child.try_wait()? {
                self.is_over = true;
                bail!("the server ended at its start: {status}; see {}", self.log.display());
            }
            if self.get("/readyz", None).is_ok_and(|reply| reply.status == 200) {
                self.ready_after = started.elapsed();
                return Ok(());
            }
            thread::sleep(START_WAIT);
        }
        bail!("the server did not become ready; see {}", self.log.display())
    }

    /// Its address, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.client.url()
    }

    /// Sends requests to it.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How long it took from its start until it was ready.
    #[must_use]
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// The system's.
    pub fn is_running(&mut self) -> Result<bool> {
        self.is_over |= self.child.try_wait()?.is_some();
        Ok(!self.is_over)
    }

    /// What `/metrics` says.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn metrics(&self) -> Result<String> {
        let client = Client::new(&self.metrics_url, ANSWER_TIME_MAX);
        Ok(client.get("/metrics", None)?.body)
    }

    /// A GET request.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn get(&self, path: &str, credential: Option<&str>) -> Result<Reply> {
        self.client.get(path, credential)
    }

    /// A POST request of JSON.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&self, path: &str, credential: &str, body: &Value) -> Result<Reply> {
        self.client.post(path, credential, body)
    }

    /// A POST request that must succeed.
    ///
    /// # Errors
    /// When it does not.
    pub fn posted(&self, path: &str, credential: &str, body: &Value) -> Result<Value> {
        self.client.posted(path, credential, body)
    }

    /// An access token of the operator.
    ///
    /// # Errors
    /// When the login fails.
    pub fn operator(&self) -> Result<String> {
        self.login(OPERATOR, None)
    }

    /// An access token of a user, whose password is that of everybody that a node makes.
    ///
    /// # Errors
    /// When the login fails.
    pub fn login(&self, email: &str, tenant: Option<&str>) -> Result<String> {
        let mut body = json!({"email": email, "password": PASSWORD});
        if let Some(tenant) = tenant {
            body["tenant"] = tenant.into();
        }
        text(&self.posted("/api/v1/auth/login", "", &body)?, "access_token")
    }

    /// Makes a tenant with an admin and a key.
    ///
    /// # Errors
    /// When any of it is refused.
    pub fn tenant(&self, name: &str) -> Result<Tenant> {
        self.tenant_of(name, &format!("admin@{name}.example"))
    }

    /// Makes a tenant with this admin and a key.
    ///
    /// # Errors
    /// When any of it is refused.
    pub fn tenant_of(&self, name: &str, email: &str) -> Result<Tenant> {
        let admin = json!({"email": email, "password": PASSWORD});
        let body = json!({"name": name, "admin": admin});
        let made = self.posted("/api/v1/tenants", &self.operator()?, &body)?;
        let token = self.login(email, Some(name))?;
        let scopes = json!({"name": "bench", "scopes": ["ingest:*", "query:*"]});
        let key = text(&self.posted("/api/v1/keys", &token, &scopes)?, "key")?;
        Ok(Tenant { id: text(&made, "id")?, name: name.to_owned(), token, key })
    }

    /// Makes a user of a tenant, and logs in as the user.
    ///
    /// # Errors
    /// When any of it is refused.
    pub fn user(&self, tenant: &Tenant, email: &str, role: &str) -> Result<(String, String)> {
        let body = json!({"email": email, "password": PASSWORD, "role": role});
        let made = self.posted("/api/v1/users", &tenant.token, &body)?;
        Ok((text(&made, "id")?, self.login(email, Some(&tenant.name))?))
    }

    /// The answer of a query with pipes: `{columns, rows, stats}`.
    ///
    /// # Errors
    /// When it is refused.
    pub fn analyse(&self, tenant: &Tenant, dataset: &str, query: &str) -> Result<Value> {
        let body = json!({"dataset": dataset, "query": query});
        self.posted("/api/v1/analytics/query", &tenant.key, &body)
    }

    /// The answer of a search: `{data, page, stats}`.
    ///
    /// # Errors
    /// When it is refused.
    pub fn search(&self, tenant: &Tenant, dataset: &str, query: &str, limit: u64) -> Result<Value> {
        let body = json!({"dataset": dataset, "query": query, "limit": limit});
        self.posted("/api/v1/search", &tenant.key, &body)
    }

    /// Sends files with `ledgerline send`, and tells what that used.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn send(&self, tenant: &Tenant, dataset: &str, files: &[&Path]) -> Result<Spent> {
        let child = Command::new(&self.binary)
            .args(["send", "--url", self.url(), "--key", &tenant.key, "--dataset", dataset])
            .args(files)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting `ledgerline send`")?;
        Ok(wait(&child)?)
    }

    /// Ends the server as an operator does and waits for it.
    ///
    /// # Errors
    /// When it had ended before.
    pub fn stop(mut self) -> Result<Spent> {
        self.signal(libc::SIGTERM)?;
        self.is_over = true;
        Ok(wait(&self.child)?)
    }

    /// Ends the server as a crash does (`kill -9`) and waits until nothing of it runs any more.
    ///
    /// # Errors
    /// When it had ended before.
    pub fn kill(mut self) -> Result<Spent> {
        self.signal(libc::SIGKILL)?;
        self.is_over = true;
        Ok(wait(&self.child)?)
    }

    /// Sends a signal to the server.
    ///
    /// # Errors
    /// When there is no such process any more.
    #[expect(unsafe_code, reason = "the standard library sends no signals")]
    pub fn signal(&self, signal: i32) -> Result<()> {
        let pid = i32::try_from(self.child.id())?;
        // SAFETY: `kill` touches no memory; the child is not waited for yet, so the id is its own.
        let answer = unsafe { libc::kill(pid, signal) };
        ensure!(answer == 0, "kill: {}", std::io::Error::last_os_error());
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if !self.is_over {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

fn text(value: &Value, name: &str) -> Result<String> {
    let text = value[name].as_str().with_context(|| format!("no {name} in {value}"))?;
    Ok(text.to_owned())
}

/// An address of this machine that nobody listened at a moment ago.
fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
