//! The HTTP side: clients come in here, in any of four dialects, and are answered from the views or over the bus.
//!
//! # One request, from the socket to the answer
//!
//! `GET /api/events/audit?limit=50` with a token, by the files that it comes through:
//!
//! 1. `http/server.rs` takes the connection in, if its address may have one more (`http/server/seats.rs`), and
//!    `http/server/connection.rs` reads the head of the request, under TLS where the gateway speaks it (`http/tls.rs`).
//!    The client's address goes with it (`http/origin.rs`), which a proxy may name (`http/proxies.rs`).
//! 2. `router.rs` has the table of routes. Everything below it is inside of the frame:
//! 3. `http/frame.rs` gives the request an id and 75 seconds. When the answer is there, it is counted
//!    (`http/metrics.rs`), a refusal is put into the words of the path's dialect (`dialects.rs`), and it gets the
//!    headers that every answer has.
//! 4. `access/auth.rs` lets it in, by its headers alone: its address is counted (`access/limits.rs`), its token found
//!    (`access/token.rs`) and looked up, or recalled (`access/auth/memo.rs`), and held against what the route needs.
//!    From here on there is a caller (`access/caller.rs`). A body is not read before.
//! 5. `dialects/netbird/audit.rs` is the handler. It takes the part of the gateway that it needs (`app.rs`), reads its
//!    parameters (`lists/query.rs`) and the place where the page begins (`lists/cursor.rs`).
//! 6. `lists/ask.rs` asks for the page, as fresh as the caller wants it, and tells the witness (`witness.rs`), who
//!    writes down behind the request's back who read what (`witness/recorder.rs`).
//! 7. `upstream/reader.rs` asks the view: in this process, or over the bus. Off the threads that serve connections,
//!    the rows become the first piece of the answer; the others are written as the client takes them
//!    (`render/pieces.rs`).
//! 8. The handler says as of when the answer is (`http/freshness.rs`), and it goes out the way it came in; a client
//!    that does not take it is cut off (`http/server/paced.rs`).
//!
//! A write goes through 1-4 too. Its body is read by `http/body.rs`, what it asks for is sent by
//! `upstream/commands.rs`, or, if it is events, by `upstream/publisher.rs`, and the answer comes when the views have
//! it, so that the client's next read sees what it wrote.
//!
//! # Floors
//!
//! From the top down, each importing only what is below (`tests/floors` checks it):
//! `serve -> router -> openapi -> route | console -> app -> dialects -> lists -> access -> witness -> upstream -> http | render |
//! describe`.
//!
//! # Invariants
//!
//! A dialect only translates: it reads its own parameters, asks a view's question and renders the answer. The account
//! comes from the token and from nowhere else. Storage is unknown here, and commands go over the bus.

mod access;
mod app;
mod console;
mod describe;
mod dialects;
mod http;
mod lists;
mod openapi;
pub mod parsers;
mod render;
mod route;
mod router;
mod serve;
mod upstream;
mod witness;

pub use access::oidc;
pub use http::cors::{NoOrigin, Origins};
pub use http::proxies::Proxies;
pub use http::tls::{FileProblem, Tls, TlsError};
pub use lists::cursor;
pub use router::{openapi, scopes_table};
pub use serve::{Adjustable, Error, Settings, serve, serve_metrics};
pub use upstream::reader::{ReadError, Reader};

/// Whether the page for people is part of this build.
pub const HAS_PAGE: bool = !explorer::FILES.is_empty();

#[cfg(test)]
mod tests;
