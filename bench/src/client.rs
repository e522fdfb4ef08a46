//! Requests to a server.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// Sends requests to one server.
#[derive(Debug, Clone)]
pub struct Client {
    url: String,
    agent: ureq::Agent,
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

    /// The stable name of what went wrong; empty when nothing did, or when it has none.
    #[must_use]
    pub fn code(&self) -> String {
        let code = self.json().ok().and_then(|body| Some(body["code"].as_str()?.to_owned()));
        code.unwrap_or_default()
    }
}

impl Client {
    /// Sends to the server at this address, such as `http://127.0.0.1:8080`, and waits so long for
    /// each answer.
    #[must_use]
    pub fn new(url: &str, timeout: Duration) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(timeout))
            .build()
            .new_agent();
        Self { url: url.to_owned(), agent }
    }

    /// The server's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A GET request.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn get(&self, path: &str, credential: Option<&str>) -> Result<Reply> {
        let headers = credential.map(bearer);
        let headers: Vec<_> = headers.iter().map(|text| ("authorization", text.as_str())).collect();
        self.request("GET", path, &headers, &[])
    }

    /// The bytes that a GET request is answered with, which must succeed.
    ///
    /// # Errors
    /// When it does not.
    pub fn get_bytes(&self, path: &str, credential: &str) -> Result<Vec<u8>> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let mut response = request.header("authorization", bearer(credential)).call()?;
        let status = response.status();
        let bytes = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        ensure!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
        Ok(bytes)
    }

    /// A POST request of JSON.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&self, path: &str, credential: &str, body: &Value) -> Result<Reply> {
        let headers = [("content-type", "application/json")];
        self.post_bytes(path, credential, &headers, body.to_string().as_bytes())
    }

    /// A POST request of any bytes. An empty credential is none.
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
        let authorization = bearer(credential);
        let mut all = headers.to_vec();
        if !credential.is_empty() {
            all.push(("authorization", &authorization));
        }
        self.request("POST", path, &all, body)
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

    /// Any request.
    ///
    /// # Errors
    /// When there is no answer, or it is no text.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply> {
        let uri = format!("{}{path}", self.url);
        let mut request = ureq::http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = match body {
            [] if method != "POST" => self.agent.run(request.body(())?)?,
            body => self.agent.run(request.body(body)?)?,
        };
        let text = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, headers, body: text })
    }
}

fn bearer(credential: &str) -> String {
    format!("Bearer {credential}")
}
