//! A server on any free port, with its data in a temporary folder, and a client for it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ledgerline_server::config::{Config, Secret, Settings};
use ledgerline_server::{OPERATOR, Server};
use ledgerline_world::{Clock, ManualClock, SystemClock};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A running server.
pub(crate) struct Node {
    runtime: Runtime,
    server: Option<Server>,
    folder: TempDir,
    agent: ureq::Agent,
    /// An access token of the operator.
    pub(crate) operator: String,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// The code of a problem.
    pub(crate) fn code(&self) -> String {
        let media = self.header("content-type");
        assert_eq!(media, "application/problem+json", "{}: {}", self.status, self.text());
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// A request.
pub(crate) struct Ask<'a> {
    node: &'a Node,
    request: http::request::Builder,
    body: Vec<u8>,
}

impl Ask<'_> {
    pub(crate) fn by(self, credential: &str) -> Self {
        if credential.is_empty() {
            return self;
        }
        self.header("authorization", &format!("Bearer {credential}"))
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    pub(crate) fn json(self, value: &Value) -> Self {
        let body = value.to_string().into_bytes();
        Self { body, ..self.header("content-type", "application/json") }
    }

    pub(crate) fn body(self, media: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self.header("content-type", media) }
    }

    /// A body whose type the headers say, or nothing does.
    pub(crate) fn raw(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }

    pub(crate) fn send(self) -> Answer {
        let Self { node, request, body } = self;
        let method = request.method_ref().cloned().unwrap_or_default();
        let answered = if method == http::Method::DELETE && !body.is_empty() {
            let whole = request.body(()).expect("the request is well formed");
            let mut asked = node.agent.delete(whole.uri()).force_send_body();
            for (name, value) in whole.headers() {
                asked = asked.header(name, value);
            }
            asked.send(body)
        } else if matches!(method, http::Method::GET | http::Method::DELETE) {
            node.agent.run(request.body(()).expect("the request is well formed"))
        } else {
            node.agent.run(request.body(body).expect("the request is well formed"))
        };
        let (parts, mut body) = answered.expect("the server answers").into_parts();
        let body = body.with_config().limit(256 << 20).read_to_vec().expect("the body is whole");
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

fn config(folder: &TempDir) -> Config {
    let settings = Settings {
        data: Some(folder.path().join("data")),
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        metrics_listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        journal_reserve_bytes: Some(0),
        ..Settings::default()
    };
    let mut config = Config::from_settings(settings).expect("the settings are good");
    config.tenancy.argon2_kib = 64;
    config.operator_password = Some(Secret(PASSWORD.to_owned()));
    config
}

impl Node {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| ())
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::open(folder, change)
    }

    /// One at which it is always the time that a clock shows.
    pub(crate) fn start_at(clock: &Arc<ManualClock>, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
        Self::open_at(folder, change, clock)
    }

    /// Stops and starts again over the same data.
    pub(crate) fn restart(self) -> Self {
        self.restart_as(|_| (), |_| ())
    }

    /// Stops, and starts again over the same data with other settings.
    pub(crate) fn restart_with(self, change: impl FnOnce(&mut Config)) -> Self {
        self.restart_as(|_| (), change)
    }

    /// Stops, lets something happen to the data, and starts again over it.
    pub(crate) fn restart_after(self, happen: impl FnOnce(&Path)) -> Self {
        self.restart_as(happen, |_| ())
    }

    /// Stops, lets something happen to the data, and starts again over it with other settings.
    pub(crate) fn restart_as(
        mut self,
        happen: impl FnOnce(&Path),
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let server = self.server.take().expect("it runs");
        self.runtime.block_on(server.shutdown()).expect("it stops");
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        drop(self);
        happen(&folder.path().join("data"));
        Self::open(folder, change)
    }

    fn open(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        Self::open_at(folder, change, Arc::new(SystemClock::new()))
    }

    fn open_at(folder: TempDir, change: impl FnOnce(&mut Config), clock: Arc<dyn Clock>) -> Self {
        let mut config = config(&folder);
        // What was set once belongs to the data from then on.
        config.archive = Some(config.data.join("archive")).filter(|archive| archive.exists());
        change(&mut config);
        let runtime = Runtime::new().expect("a runtime");
        let server = runtime.block_on(Server::start_at(config, clock)).expect("the server starts");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .new_agent();
        let operator = String::new();
        let mut node = Self { runtime, server: Some(server), folder, agent, operator };
        node.operator = node.login(OPERATOR, PASSWORD);
        node
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("it runs")
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server().address()
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        let uri = format!("http://{}{path}", self.address());
        let request = http::Request::builder().method(method).uri(uri);
        Ask { node: self, request, body: Vec::new() }
    }

    pub(crate) fn metrics(&self) -> String {
        let uri = format!("http://{}/metrics", self.server().metrics_address());
        let mut answer = self.agent.get(&uri).call().expect("the metrics answer");
        answer.body_mut().read_to_string().expect("the metrics are text")
    }

    /// Waits until every read and refusal so far is in `_audit`.
    pub(crate) fn settle(&self) {
        self.runtime.block_on(self.server().settle());
    }

    pub(crate) fn login(&self, email: &str, password: &str) -> String {
        let request = json!({"email": email, "password": password});
        let answer = self.ask("POST", "/api/v1/auth/login").json(&request).send().expect(200);
        answer.json()["access_token"].as_str().expect("a token").to_owned()
    }

    /// A tenant with one credential of each kind.
    pub(crate) fn tenant(&self, name: &str) -> Tenant {
        let email = format!("admin@{name}.example");
        let request = json!({"name": name, "admin": {"email": email, "password": PASSWORD}});
        let made = self.ask("POST", "/api/v1/tenants").by(&self.operator).json(&request).send();
        let id = made.expect(201).json()["id"].as_str().expect("an id").to_owned();
        let admin = self.login(&email, PASSWORD);
        let person = |role: &str| {
            let email = format!("{role}@{name}.example");
            self.user(&admin, &email, role);
            self.login(&email, PASSWORD)
        };
        let (user, auditor) = (person("user"), person("auditor"));
        let (_, ingest) = self.key(&admin, "ingest:*");
        let (_, query) = self.key(&admin, "query:*");
        Tenant { id, admin, user, auditor, ingest, query }
    }

    /// Makes a user; its id.
    pub(crate) fn user(&self, admin: &str, email: &str, role: &str) -> String {
        let request = json!({"email": email, "password": PASSWORD, "role": role});
        let made = self.ask("POST", "/api/v1/users").by(admin).json(&request).send().expect(201);
        made.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Makes a key; its id and its secret.
    pub(crate) fn key(&self, admin: &str, scope: &str) -> (String, String) {
        let request = json!({"name": "a key", "scopes": [scope]});
        let made = self.ask("POST", "/api/v1/keys").by(admin).json(&request).send().expect(201);
        let made = made.json();
        let text = |field: &str| made[field].as_str().expect("a text").to_owned();
        (text("id"), text("key"))
    }

    /// Sends events that are all taken.
    pub(crate) fn send(&self, credential: &str, dataset: &str, events: &Value) {
        let path = format!("/api/v1/ingest/{dataset}");
        let answer = self.ask("POST", &path).by(credential).json(events).send().expect(200);
        assert_eq!(answer.json()["rejected"], 0, "{}", answer.text());
    }

    /// Searches a dataset.
    pub(crate) fn search(&self, credential: &str, dataset: &str, query: &str) -> Answer {
        let request = json!({"dataset": dataset, "query": query});
        self.ask("POST", "/api/v1/search").by(credential).json(&request).send()
    }
}

/// A tenant, and credentials of each kind.
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) admin: String,
    pub(crate) user: String,
    pub(crate) auditor: String,
    pub(crate) ingest: String,
    pub(crate) query: String,
}

/// A word that occurs nowhere else in this run.
pub(crate) fn unique(prefix: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{prefix}{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
