//! HTTP to a server: requests, and the problem that a refusal carries.

use std::io::Read;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::{HeaderMap, StatusCode};

use crate::failure::Failure;

const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(120);
/// The largest answer that is read: a page of 10,000 events of 1 MiB would be larger, and is
/// better asked for in smaller pages.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// A server, and who asks it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    credential: Option<String>,
}

/// A body to be sent.
#[derive(Debug)]
pub(crate) struct Upload<'a> {
    /// Its bytes, compressed or not.
    pub(crate) bytes: &'a [u8],
    /// `Content-Type`.
    pub(crate) content_type: &'static str,
    /// `Content-Encoding`, if any.
    pub(crate) encoding: Option<&'static str>,
    /// `Idempotency-Key`, if any.
    pub(crate) idempotency_key: Option<&'a str>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// How long to wait before asking again, if the server said so.
    pub(crate) retry_after: Option<Duration>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// A refusal, as RFC 9457 has it, with what Ledgerline adds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    /// What kind of problem, in words.
    pub(crate) title: Option<String>,
    /// This one, in words.
    pub(crate) detail: Option<String>,
    /// A stable name of the kind.
    pub(crate) code: Option<String>,
    /// What may have been meant.
    pub(crate) hint: Option<String>,
    /// The name under which the server's log has it.
    pub(crate) request_id: Option<String>,
    /// Where in the query the fault lies.
    pub(crate) position: Option<Position>,
    /// How many events were rejected, when all were.
    pub(crate) rejected: Option<u64>,
    /// The parts of the request that are at fault.
    pub(crate) errors: Vec<Fault>,
}

/// A part of a query's text, counted in characters from 0.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Position {
    /// Its first character.
    pub(crate) start: usize,
    /// The character after its last.
    pub(crate) end: usize,
}

/// One part of a request that is at fault.
#[derive(Debug, Deserialize)]
pub(crate) struct Fault {
    /// The line of a body of events, or the number in its array, from 1.
    pub(crate) line: Option<u64>,
    /// A stable name of the reason.
    pub(crate) code: String,
    /// The reason in words.
    pub(crate) detail: String,
}

impl Client {
    /// A client of the server at `url`, which asks with the credential, or as nobody.
    pub(crate) fn new(url: &str, credential: Option<&str>) -> Result<Self, Failure> {
        let base = url.trim().trim_end_matches('/');
        let host = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
        let Some(host) = host.filter(|host| !host.is_empty()) else {
            return Err(Failure::new(format!("{url} is not the address of a server"))
                .hint("give one such as http://127.0.0.1:8080"));
        };
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .user_agent(concat!("ledgerline/", env!("CARGO_PKG_VERSION")));
        if is_this_machine(host) {
            config = config.proxy(None);
        }
        let credential = credential.map(str::to_owned);
        Ok(Self { agent: config.build().new_agent(), base: base.to_owned(), credential })
    }

    /// The same server, asked with another credential.
    pub(crate) fn with_credential(&self, credential: &str) -> Self {
        Self { credential: Some(credential.to_owned()), ..self.clone() }
    }

    /// Posts a body.
    pub(crate) fn post(&self, path: &str, upload: &Upload<'_>) -> Result<Answer, ureq::Error> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("Content-Type", upload.content_type)
            .header("Accept", "application/json");
        if let Some(credential) = &self.credential {
            request = request.header("Authorization", format!("Bearer {credential}"));
        }
        if let Some(encoding) = upload.encoding {
            request = request.header("Content-Encoding", encoding);
        }
        if let Some(key) = upload.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        read(request.send(upload.bytes)?)
    }

    /// Posts JSON.
    pub(crate) fn post_json(&self, path: &str, question: &Value) -> Result<Answer, Failure> {
        let bytes = question.to_string();
        let upload = Upload {
            bytes: bytes.as_bytes(),
            content_type: "application/json",
            encoding: None,
            idempotency_key: None,
        };
        self.post(path, &upload).map_err(|error| self.unreachable(&error))
    }

    /// The server did not answer.
    pub(crate) fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::caused(&format!("{} does not answer", self.base), error)
            .hint("is the server running, and is --url (or LEDGERLINE_URL) its address?")
    }
}

impl Answer {
    /// The body of a success; else its failure.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        if !self.status.is_success() {
            return Err(self.refusal());
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::caused("the server's answer is not understood", &error)
                .hint("is that the address of a Ledgerline server?")
        })
    }

    /// The problem that the body tells.
    pub(crate) fn problem(&self) -> Problem {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The failure that a status other than success is.
    pub(crate) fn refusal(&self) -> Failure {
        refusal(self.status, &self.problem())
    }
}

/// A refusal in words, with the server's hint or one of ours.
pub(crate) fn refusal(status: StatusCode, problem: &Problem) -> Failure {
    let words = problem.detail.as_deref().or(problem.title.as_deref());
    let words = words.unwrap_or_else(|| status.canonical_reason().unwrap_or("refused"));
    let code = problem.code.as_deref().map(|code| format!(", {code}")).unwrap_or_default();
    let words = crate::printable::printable(words);
    let failure = Failure::new(format!("{words} ({}{code})", status.as_u16()));
    let ours = match status.as_u16() {
        401 => Some("is --key (or LEDGERLINE_KEY) whole, not expired and not revoked?"),
        403 => Some("the key may not do this; an admin can make one whose scopes allow it"),
        413 => Some("send smaller pieces, with a smaller --batch-bytes"),
        _ => None,
    };
    let hint = match (&problem.hint, ours, &problem.request_id) {
        (Some(hint), ..) => Some(crate::printable::printable(hint).into_owned()),
        (None, Some(ours), _) => Some(ours.to_owned()),
        (None, None, Some(id)) if status.is_server_error() => {
            Some(format!("the server's log has it as request {}", crate::printable::printable(id)))
        }
        _ => None,
    };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn read(response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let (parts, body) = response.into_parts();
    let mut bytes = Vec::new();
    body.into_reader().take(ANSWER_BYTES_MAX).read_to_end(&mut bytes)?;
    let retry_after = retry_after(&parts.headers);
    Ok(Answer { status: parts.status, retry_after, body: bytes })
}

/// `Retry-After` in seconds (RFC 9110, 10.2.3). Its other form, a date, is not what Ledgerline
/// sends.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A proxy that the environment names is not meant for addresses of this machine.
fn is_this_machine(host: &str) -> bool {
    ["127.", "localhost", "[::1]"].iter().any(|own| host.starts_with(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_a_scheme() {
        for url in ["127.0.0.1:8080", "ftp://localhost", "http://", ""] {
            assert!(Client::new(url, None).is_err(), "{url}");
        }
        let client = Client::new("http://127.0.0.1:8080/", None).expect("an address");
        assert_eq!(client.base, "http://127.0.0.1:8080");
    }

    #[test]
    fn refusals_tell_what_and_how() {
        let problem: Problem = serde_json::from_str(
            r#"{"detail": "no dataset webb", "code": "dataset_not_found", "hint": "web?", "x": 1}"#,
        )
        .expect("a problem");
        let failure = refusal(StatusCode::NOT_FOUND, &problem);
        let text = "error: no dataset webb (404, dataset_not_found)\nhint: web?\n";
        assert_eq!(failure.text(), text);
        let bare = refusal(StatusCode::BAD_GATEWAY, &Problem::default());
        assert_eq!(bare.text(), "error: Bad Gateway (502)\n");
    }

    #[test]
    fn retry_after_counts_seconds() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert("retry-after", "7".parse().expect("a header"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        headers.insert("retry-after", "soon".parse().expect("a header"));
        assert_eq!(retry_after(&headers), None);
    }
}
