//! The WebSockets of a scenario.

use std::collections::HashMap;
use std::net::TcpStream;

use serde_json::Value;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

use crate::node::{Answer, Node};

/// Those that are open, by their names.
#[derive(Default)]
pub(super) struct Sockets(HashMap<String, WebSocket<TcpStream>>);

impl Sockets {
    /// Asks for one, which is kept if the server agrees.
    pub(super) fn open(
        &mut self,
        node: &Node,
        (name, path): (String, &str),
        headers: &[(String, String)],
    ) -> Result<Answer, String> {
        let url = format!("ws://{}{path}", node.address());
        let mut request = url.into_client_request().map_err(|error| error.to_string())?;
        for (name, value) in headers {
            let name = http::HeaderName::try_from(name).map_err(|error| error.to_string())?;
            let value = value.parse().map_err(|_| format!("{value} is no header"))?;
            request.headers_mut().insert(name, value);
        }
        let stream = TcpStream::connect(node.address()).map_err(|error| error.to_string())?;
        let response = match tungstenite::client(request, stream) {
            Ok((socket, response)) => {
                self.0.insert(name, socket);
                response
            }
            Err(HandshakeError::Failure(Error::Http(response))) => *response,
            Err(error) => return Err(error.to_string()),
        };
        let (parts, body) = response.into_parts();
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        Ok(Answer { status, headers, body: body.unwrap_or_default() })
    }

    /// The next message that is no heartbeat.
    pub(super) fn next(&mut self, name: &str) -> Result<Value, String> {
        let socket = self.0.get_mut(name).ok_or_else(|| format!("there is no socket {name}"))?;
        loop {
            match socket.read().map_err(|error| error.to_string())? {
                Message::Text(text) => {
                    let message: Value =
                        serde_json::from_str(&text).map_err(|error| format!("no JSON: {error}"))?;
                    if message["type"] != "heartbeat" {
                        return Ok(message);
                    }
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => return Err(format!("no message, but {other:?}")),
            }
        }
    }
}
