//! A server on loopback that says what it is told to, word for word, and closes: for answers that Flowtrail itself does not
//! give while it is well. It ends with its owner.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) struct Scripted {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
    _answering: JoinSet<()>,
}

impl Scripted {
    /// Answers each connection with the next of these, and then none any more.
    pub(crate) async fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let mut answering = JoinSet::new();
        let heard = requests.clone();
        answering.spawn(async move {
            for answer in answers {
                let (mut client, _) = listener.accept().await.unwrap();
                let request = head(&mut client).await;
                heard.lock().unwrap().push(request);
                client.write_all(answer.as_bytes()).await.unwrap();
                client.shutdown().await.unwrap();
            }
        });
        Self { url, requests, _answering: answering }
    }

    /// The heads of the requests that came, in lower case.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

/// An answer in pieces. Without an `end` it breaks off; that is what stands behind the pieces, such as `\r\n`.
pub(crate) fn answer(content_type: &str, pieces: &[&str], end: Option<&str>) -> String {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: flowtrail-complete\r\nconnection: close";
    let pieces: String = pieces.iter().map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len())).collect();
    let end = end.map(|end| format!("0\r\n{end}")).unwrap_or_default();
    format!("{head}\r\ncontent-type: {content_type}\r\n\r\n{pieces}{end}")
}
