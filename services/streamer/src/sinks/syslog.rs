//! Syslog over TCP, with TLS or without: RFC 5424 messages, counted in octets (RFC 5425, RFC 6587).
//!
//! Nothing acknowledges: what was written when a connection breaks may be lost or there. A batch whose connection is
//! seen to break is sent again.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use model::reach::Target;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::document::{Document, host};
use crate::guard::{CONNECT_TIME, Guard, REQUEST_TIME, blocked_by};
use crate::opened::{ConfigError, Opened};
use crate::sink::{Failure, Item, Limits, Outcome};

/// A server.
#[derive(Debug)]
pub(super) struct Syslog {
    guard: Guard,
    target: Target,
    tls: Arc<ClientConfig>,
    /// Kept from batch to batch.
    connection: Mutex<Option<Connection>>,
}

type Connection = Box<dyn Stream>;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug> Stream for T {}

/// Facility 13 (log audit), severity 6 (informational).
const PRIORITY: u8 = 13 * 8 + 6;

/// The number that RFC 5612 keeps for examples, as the project has none of its own.
const ELEMENT: &str = "flowtrail@32473";

impl Syslog {
    pub(super) const LIMITS: Limits = Limits { items: 500, bytes: 1 << 20, wait: Duration::from_secs(1) };

    pub(super) fn new(config: &Opened, guard: &Guard) -> Result<Self, ConfigError> {
        let encrypted = config.text("tls") != Some("false");
        let target = guard.target("address", config.required("address")?, encrypted)?;
        Ok(Self { guard: guard.clone(), target, tls: guard.tls(), connection: Mutex::new(None) })
    }

    pub(super) fn size(item: &Item) -> usize {
        frame(item).len()
    }

    pub(super) async fn deliver(&self, items: &[Item]) -> Outcome {
        let frames: Vec<u8> = items.iter().flat_map(frame).collect();
        // It is put back only when the batch went through.
        let kept = self.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        match self.send(kept.and_then(still_open), &frames).await {
            Ok(connection) => {
                *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
                Outcome::Delivered
            }
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn send(&self, usable: Option<Connection>, frames: &[u8]) -> Result<Connection, Failure> {
        let mut connection = match usable {
            Some(connection) => connection,
            None => timeout(CONNECT_TIME, self.dial()).await.map_err(|_| Failure::retry("no connection in time"))??,
        };
        let write = async {
            connection.write_all(frames).await?;
            connection.flush().await
        };
        match timeout(REQUEST_TIME, write).await {
            Ok(Ok(())) => still_open(connection).ok_or_else(|| Failure::retry("the server closed the connection")),
            Ok(Err(error)) => Err(Failure::retry(format!("the connection broke: {error}"))),
            Err(_) => Err(Failure::retry("the server does not read")),
        }
    }

    async fn dial(&self) -> Result<Connection, Failure> {
        let addresses = self.guard.addresses(&self.target).await.map_err(|error| match blocked_by(&*error) {
            Some(blocked) => Failure::stop(format!("the server's name {blocked}")),
            None => Failure::retry(format!("the server's name cannot be resolved: {error}")),
        })?;
        let stream = first_to_answer(&addresses).await?;
        if !self.target.encrypted {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(self.target.host.clone());
        let name = name.map_err(|_| Failure::stop("the server's name is none that a certificate can hold"))?;
        let connecting = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await;
        let stream = connecting.map_err(|error| Failure::retry(format!("no TLS with the server: {error}")))?;
        Ok(Box::new(stream))
    }
}

async fn first_to_answer(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let mut why = "the server's name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => why = format!("no connection: {error}"),
        }
    }
    Err(Failure::retry(why))
}

/// None when the server has closed it. A server has nothing to say otherwise; what it says is not read further.
fn still_open(mut connection: Connection) -> Option<Connection> {
    let mut said = [0; 512];
    let read = connection.read(&mut said).now_or_never();
    match read {
        Some(Ok(0) | Err(_)) => None,
        Some(Ok(_)) | None => Some(connection),
    }
}

fn frame(item: &Item) -> Vec<u8> {
    let message = message(item);
    let mut frame = format!("{} ", message.len()).into_bytes();
    frame.extend_from_slice(message.as_bytes());
    frame
}

fn message(item: &Item) -> String {
    let Document { message, details, timestamp: _ } = Document::new(item);
    let parameters = [
        ("id", details.id),
        ("account", details.account_id),
        ("kind", details.kind),
        ("type", details.event_type),
        ("initiator", details.initiator_id),
        ("target", details.target_id),
        ("reference", details.reference),
        ("position", &details.position),
        ("index", &details.index.to_string()),
        ("meta", &serde_json::Value::Object(details.meta).to_string()),
        ("event", &details.event.to_json()),
    ];
    let data: String = parameters.map(|(name, value)| format!(" {name}=\"{}\"", escaped(value))).concat();
    let time = item.time.to_six_digits();
    let (host, kind) = (word(host(item), 255), word(details.event_type, 32));
    // A line break would end the message for servers that read lines, and others can make it look like something else on a terminal.
    let text = message.replace(char::is_control, " ");
    format!("<{PRIORITY}>1 {time} {host} flowtrail - {kind} [{ELEMENT}{data}] \u{feff}{text}")
}

/// A value of structured data: RFC 5424, 6.3.3. Control characters, which it allows and servers do not, are blanks.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '"' | '\\' | ']' => out.extend(['\\', character]),
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}

/// A field of the header: visible ASCII, or `-` where there is nothing.
fn word(text: &str, most: usize) -> String {
    let visible = |character: char| if character.is_ascii_graphic() { character } else { '_' };
    let word: String = text.chars().take(most).map(visible).collect();
    if word.is_empty() { "-".to_owned() } else { word }
}
