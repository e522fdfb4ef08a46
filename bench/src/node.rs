//! A `ledgerline serve` process, and requests to it.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::process::{Spent, wait};

const OPERATOR: &str = "operator@localhost";
/// The passwords of everybody that a [`Node`] makes.
const PASSWORD: &str = "correct horse battery staple";
/// How long a start may take; it is looked at every few milliseconds.
const START_TRIES: usize = 3_000;
const START_WAIT: Duration = Duration::from_millis(10);

/// A server process.
#[derive(Debug)]
pub struct Node {
    child: Child,
    binary: PathBuf,
    url: String,
    metrics_url: String,
    agent: ureq::Agent,
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

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers that came with it.
    pub headers: ureq::http::HeaderMap,
    /// The body.
    pub body: String,
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("not JSON: {}", self.body))
    }
}

impl Node {
    /// Starts a server with its data in a folder and waits until it is ready. What it logs goes to
    /// `serve.log` beside the data.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn start(binary: &Path, data: &Path) -> Result<Self> {
        Self::start_with(binary, data, |command| command)
    }

    /// As [`Node::start`], with a command line that was changed: more flags, or another program in
    /// front of it.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn start_with(
        binary: &Path,
        data: &Path,
        change: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<Self> {
        let (listen, metrics) = (free_address()?, free_address()?);
        let log = File::options()
            .create(true)
            .append(true)
            .open(data.with_extension("serve.log"))
            .context("the log file")?;
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", &listen, "--metrics-listen", &metrics])
            .env("LEDGERLINE_OPERATOR_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = change(&mut command).spawn().context("starting the server")?;
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .new_agent();
        let mut node = Self {
            child,
            binary: binary.to_owned(),
            url: format!("http://{listen}"),
            metrics_url: format!("http://{metrics}"),
            agent,
            is_over: false,
        };
        node.wait_until_ready()?;
        Ok(node)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        for _ in 0..START_TRIES {
            if let Some(status) = self.child.try_wait()? {
                self.is_over = true;
                bail!("the server ended at its start: {status}");
            }
            if self.get("/readyz", None).is_ok_and(|reply| reply.status == 200) {
                return Ok(());
            }
            thread::sleep(START_WAIT);
        }
        bail!("the server did not become ready")
    }

    /// Its address, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What `/metrics` says.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn metrics(&self) -> Result<String> {
        Ok(self
            .agent
            .get(format!("{}/metrics", self.metrics_url))
            .call()?
            .body_mut()
            .read_to_string()?)
    }

    /// A GET request.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn get(&self, path: &str, credential: Option<&str>) -> Result<Reply> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(credential) = credential {
            request = request.header("authorization", format!("Bearer {credential}"));
        }
        reply(request.call()?)
    }

    /// A POST request of JSON.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&self, path: &str, credential: &str, body: &Value) -> Result<Reply> {
        let headers = [("content-type", "application/json")];
        self.post_bytes(path, credential, &headers, body.to_string().as_bytes())
    }

    /// A POST request of any bytes.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post_bytes(
        &self,
        path: &str,
        credential: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply> {
        let mut request = self.agent.post(format!("{}{path}", self.url));
        if !credential.is_empty() {
            request = request.header("authorization", format!("Bearer {credential}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        reply(request.send(body)?)
    }

    /// A POST request that must succeed.
    ///
    /// # Errors
    /// When it does not.
    pub fn posted(&self, path: &str, credential: &str, body: &Value) -> Result<Value> {
        let reply = self.post(path, credential, body)?;
        ensure!(reply.status < 300, "{path}: {} {}", reply.status, reply.body);
        reply.json()
    }

    /// An access token of the operator.
    ///
    /// # Errors
    /// When the login fails.
    pub fn operator(&self) -> Result<String> {
        self.login(OPERATOR, None)
    }

    fn login(&self, email: &str, tenant: Option<&str>) -> Result<String> {
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
        let email = format!("admin@{name}.example");
        let admin = json!({"email": email, "password": PASSWORD});
        let body = json!({"name": name, "admin": admin});
        let made = self.posted("/api/v1/tenants", &self.operator()?, &body)?;
        let token = self.login(&email, Some(name))?;
        let scopes = json!({"name": "bench", "scopes": ["ingest:*", "query:*"]});
        let key = text(&self.posted("/api/v1/keys", &token, &scopes)?, "key")?;
        Ok(Tenant { id: text(&made, "id")?, name: name.to_owned(), token, key })
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
            .args(["send", "--url", &self.url, "--key", &tenant.key, "--dataset", dataset])
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

    /// Ends the server as a crash does (`kill -9`).
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

fn reply(mut response: ureq::http::Response<ureq::Body>) -> Result<Reply> {
    let body = response.body_mut().with_config().limit(1 << 30).read_to_string()?;
    Ok(Reply { status: response.status().as_u16(), headers: response.headers().clone(), body })
}

fn text(value: &Value, name: &str) -> Result<String> {
    let text = value[name].as_str().with_context(|| format!("no {name} in {value}"))?;
    Ok(text.to_owned())
}

/// An address of this machine that nobody listened at a moment ago.
fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
