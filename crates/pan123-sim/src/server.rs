//! The listening side: one loop for each face, one task for each connection.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::face::Face;
use crate::handle;
use crate::state::Shared;
use crate::wire::{Link, Wire};

/// Serves a face until the task is aborted; its connections end with it.
pub(crate) async fn serve(shared: Arc<Shared>, face: Face, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(Box::pin(connection(Arc::clone(&shared), face, stream, peer.ip())));
                }
                // Out of file descriptors, most likely: connections that end will free some.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn connection(shared: Arc<Shared>, face: Face, stream: TcpStream, peer: IpAddr) {
    // Without this, small answers wait for the client's acknowledgement; failing to set it costs only time.
    let _ = stream.set_nodelay(true);
    let link = Arc::new(Link::with(peer));
    let io = TokioIo::new(Wire::new(stream, Arc::clone(&link)));
    let service = service_fn(move |request| handle::request(Arc::clone(&shared), face, Arc::clone(&link), request));
    // An error here is a client that went away, or a fault that cut the connection.
    let _ = http1::Builder::new().serve_connection(io, service).await;
}
