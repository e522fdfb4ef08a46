//! How a command reaches a server: `--url` and `--key`, or their environment variables.

use clap::Args;

use crate::client::Client;
use crate::failure::Failure;

/// Where the server is and who asks.
#[derive(Debug, Clone, Args)]
pub(crate) struct Connection {
    /// The server's address.
    #[arg(long, env = "LEDGERLINE_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// An API key or an access token. In the environment it is not seen by other users of the
    /// machine.
    #[arg(long, env = "LEDGERLINE_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
}

impl Connection {
    /// A client with the credential.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let key = self.key.as_deref().map(str::trim).filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| {
            Failure::new("no API key is given").hint("give --key, or set LEDGERLINE_KEY")
        })?;
        Client::new(&self.url, Some(key))
    }
}
