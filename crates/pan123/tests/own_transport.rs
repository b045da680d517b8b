//! A program that brings its own HTTP stack: here some lines over a plain socket, against the simulator.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::{Request, Response};
use pan123::{
    core::{Body, BoxFuture, Transport, TransportError},
    open::{Client, Hosts},
};
use pan123_sim::Simulator;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// HTTP/1.1 with a connection for each request.
#[derive(Clone, Debug, Default)]
struct Plain {
    sent: Arc<AtomicUsize>,
}

impl Transport for Plain {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let authority = request.uri().authority().unwrap().to_string();
            let mut socket = TcpStream::connect(&authority).await.map_err(TransportError::not_sent)?;
            exchange(&mut socket, &authority, request).await.map_err(TransportError::lost)
        })
    }
}

async fn exchange(socket: &mut TcpStream, host: &str, request: Request<Body>) -> std::io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let length = body.length().unwrap();
    let mut text = format!("{} {} HTTP/1.1\r\n", head.method, head.uri.path_and_query().unwrap());
    text += &format!("host: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n");
    for (name, value) in &head.headers {
        if name != "content-length" {
            text += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
    }
    socket.write_all(format!("{text}\r\n").as_bytes()).await?;
    socket.write_all(&body.collect(8 << 20).await?).await?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut response = Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    Ok(response.body(Body::from(answer[end + 4..].to_vec())).unwrap())
}

#[tokio::test]
async fn everything_goes_through_the_transport_that_was_given() {
    let sim = Simulator::start().await.unwrap();
    let transport = Plain::default();
    let client = Client::builder()
        .app(sim.client_id(), sim.client_secret())
        .hosts(Hosts::default().with_open(&sim.urls().open).unwrap())
        .transport(transport.clone())
        .build()
        .unwrap();
    let folder = client.mkdir_all(client.root(), "films/new").await.unwrap();
    let bytes = vec![7; 3_000_000];
    let file = client.upload(bytes.clone()).name("a.mp4").into_folder(folder).send().await.unwrap();
    assert_eq!(client.list(folder).collect().await.unwrap()[0].name, "a.mp4");
    assert_eq!(client.download(&file).bytes(bytes.len()).await.unwrap(), bytes);
    assert_eq!(sim.requests().len(), transport.sent.load(Ordering::Relaxed));
}
