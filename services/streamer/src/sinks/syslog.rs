//! Syslog over TCP, with TLS or without: RFC 5424 messages, counted in octets or one on a line (RFC 5425, RFC 6587).
//!
//! Nothing acknowledges: what was written when a connection breaks may be lost or there. A batch whose connection is
//! seen to break, while it is written or soon after, is sent again.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use model::reach::Target;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::rfc5424::message;
use crate::guard::{CONNECT_TIME, Guard, REQUEST_TIME, blocked_by};
use crate::opened::{ConfigError, Opened};
use crate::sink::{Failure, Item, Limits, Outcome};

/// A server.
#[derive(Debug)]
pub(super) struct Syslog {
    guard: Guard,
    target: Target,
    tls: Arc<ClientConfig>,
    framing: Framing,
    /// The most bytes of a message, without its frame.
    message_bytes: usize,
    /// Kept from batch to batch.
    connection: Mutex<Option<Connection>>,
}

type Connection = Box<dyn Stream>;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug> Stream for T {}

/// What most servers take: rsyslog's default.
const MESSAGE_BYTES: usize = 8 << 10;

/// How long a server may take to close the connection over what it was just sent. One that has not done so by then is
/// taken to have read the batch; there is no other answer.
const SETTLING_TIME: Duration = Duration::from_millis(200);

/// How messages are told apart (RFC 6587).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// The length comes first.
    OctetCounting,
    /// A line break comes last; no message has one inside.
    Newline,
}

impl Syslog {
    /// Many at once, as each batch waits for the server to settle.
    pub(super) const LIMITS: Limits = Limits { items: 5000, bytes: 1 << 20, wait: Duration::from_secs(1) };

    pub(super) fn new(config: &Opened, guard: &Guard) -> Result<Self, ConfigError> {
        let encrypted = config.text("tls") != Some("false");
        let target = guard.target("address", config.required("address")?, encrypted)?;
        let framing = match config.text("framing") {
            None | Some("octet_counting") => Framing::OctetCounting,
            Some("newline") => Framing::Newline,
            Some(_) => return Err(ConfigError::new("framing", "must be octet_counting or newline, or absent")),
        };
        let message_bytes = match config.text("max_message_bytes").map(str::parse) {
            None => MESSAGE_BYTES,
            Some(Ok(bytes)) => bytes,
            Some(Err(_)) => return Err(ConfigError::new("max_message_bytes", "must be a number of bytes")),
        };
        let (guard, tls, connection) = (guard.clone(), guard.tls(), Mutex::new(None));
        Ok(Self { guard, target, tls, framing, message_bytes, connection })
    }

    pub(super) fn size(&self, item: &Item) -> usize {
        self.frame(item).len()
    }

    fn frame(&self, item: &Item) -> Vec<u8> {
        let message = message(item, self.message_bytes);
        match self.framing {
            Framing::OctetCounting => format!("{} {message}", message.len()).into_bytes(),
            Framing::Newline => format!("{message}\n").into_bytes(),
        }
    }

    pub(super) async fn deliver(&self, items: &[Item]) -> Outcome {
        let frames: Vec<u8> = items.iter().flat_map(|item| self.frame(item)).collect();
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
            Ok(Ok(())) => settled(connection).await.ok_or_else(|| {
                Failure::retry(
                    "the server closed the connection over the batch; a server that always does may take only shorter \
                     messages than max_message_bytes",
                )
            }),
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

/// None when the server closes it soon: then it has not read all that was written, as servers do with a message that is
/// too long for them, and what comes after it in the connection is gone.
async fn settled(mut connection: Connection) -> Option<Connection> {
    let until = Instant::now() + SETTLING_TIME;
    let mut said = [0; 512];
    loop {
        match timeout_at(until, connection.read(&mut said)).await {
            Err(_) => return Some(connection),
            Ok(Ok(0) | Err(_)) => return None,
            // Not that a server has anything to say.
            Ok(Ok(_)) => {}
        }
    }
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
