//! The gateway as a client sees it: real views in sled, a real nats-server, requests from end to end.

mod access;
mod audit;
mod cors;
mod dead_letters;
mod description;
mod frame;
mod health;
mod ignored;
mod ingest;
mod instavm;
mod language;
mod limits;
mod matrix;
mod native;
mod reads;
mod refused;
mod remote;
mod server;
mod sign_in;
mod streaming;
mod tls;
mod traffic;
mod truth;
mod vrni;
mod witness;
mod world;
