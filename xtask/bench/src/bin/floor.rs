//! What the SDK is compared to: the same work with the HTTP library, the MD5 crate and nothing else.

use std::{
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    pin::Pin,
    process::ExitCode,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use md5::{Digest, Md5};
use pan123_bench::{Arguments, Failure, Meter};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{sync::mpsc, task::JoinSet};

/// How much is read, written and hashed at a time.
const BUFFER: usize = 256 << 10;

/// The size of a part.
const PART: u64 = 16 << 20;

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the line that the caller reads")]
async fn main() -> ExitCode {
    match run().await {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<String, Failure> {
    let arguments = Arguments::read()?;
    let meter = Meter::start();
    match arguments.verb() {
        "sink" => return sink(),
        "md5" => md5(Path::new(arguments.get("file")?))?,
        "send" => send(&arguments).await?,
        "receive" => receive(&arguments).await?,
        "list" => list(&arguments).await?,
        other => return Err(format!("nothing is known of `{other}`").into()),
    }
    meter.report()
}

/// One pass of the MD5 crate over a file.
fn md5(path: &Path) -> Result<(), Failure> {
    let (mut file, mut digest, mut buffer) = (File::open(path)?, Md5::new(), vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    std::hint::black_box(digest.finalize());
    Ok(())
}

/// Sends a file in parts, over as many connections as are asked for, to a server that throws them away.
async fn send(arguments: &Arguments) -> Result<(), Failure> {
    let (path, address) = (PathBuf::from(arguments.get("file")?), arguments.get("to")?.to_owned());
    let size = path.metadata()?.len();
    let client = client()?;
    let mut starts = (0..size.div_ceil(PART)).map(|part| part * PART);
    let mut tasks: JoinSet<Result<(), Failure>> = JoinSet::new();
    let at_once = usize::try_from(arguments.number("parts")?)?;
    loop {
        while tasks.len() < at_once {
            let Some(start) = starts.next() else { break };
            let length = PART.min(size - start);
            let body = reqwest::Body::wrap_stream(FilePart::read(path.clone(), start, length));
            let request = client.put(&address).header("content-length", length).body(body);
            tasks.spawn(async move {
                request.send().await?.error_for_status()?;
                Ok(())
            });
        }
        match tasks.join_next().await {
            Some(done) => done??,
            None => return Ok(()),
        }
    }
}

/// A part of a file, read by a thread that is two buffers ahead.
struct FilePart(mpsc::Receiver<std::io::Result<Bytes>>);

impl FilePart {
    fn read(path: PathBuf, start: u64, length: u64) -> Self {
        let (sender, receiver) = mpsc::channel(2);
        tokio::task::spawn_blocking(move || {
            let mut left = length;
            let read = |offset: u64, count: u64| {
                let mut buffer = vec![0; usize::try_from(count).map_err(std::io::Error::other)?];
                File::open(&path)?.read_exact_at(&mut buffer, offset)?;
                Ok(Bytes::from(buffer))
            };
            while left > 0 {
                let count = left.min(BUFFER as u64);
                if sender.blocking_send(read(start + length - left, count)).is_err() {
                    return;
                }
                left -= count;
            }
        });
        Self(receiver)
    }
}

impl futures_core::Stream for FilePart {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

/// Receives a file over one connection and writes it over one that is there, to the same size.
async fn receive(arguments: &Arguments) -> Result<(), Failure> {
    let service = Service::open().await?;
    #[derive(Deserialize)]
    struct Address {
        #[serde(rename = "downloadUrl")]
        url: String,
    }
    let address: Address =
        service.get("/api/v1/file/download_info", &[("fileId", arguments.get("id")?.to_owned())]).await?;
    let mut answer = service.client.get(address.url).send().await?.error_for_status()?;
    let (sender, mut chunks) = mpsc::channel::<Bytes>(16);
    let to = PathBuf::from(arguments.get("to")?);
    let writer = tokio::task::spawn_blocking(move || {
        let mut file = File::options().write(true).open(to)?;
        while let Some(chunk) = chunks.blocking_recv() {
            file.write_all(&chunk)?;
        }
        Ok::<_, std::io::Error>(())
    });
    while let Some(chunk) = answer.chunk().await? {
        sender.send(chunk).await?;
    }
    drop(sender);
    Ok(writer.await??)
}

/// Lists a folder, page by page, into plain rows.
async fn list(arguments: &Arguments) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Page {
        #[serde(rename = "lastFileId")]
        last: i64,
        #[serde(rename = "fileList")]
        rows: Vec<Row>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "what is read is what counts")]
    struct Row {
        file_id: i64,
        filename: String,
        parent_file_id: i64,
        r#type: i64,
        size: u64,
        etag: String,
        create_at: String,
        update_at: String,
    }
    let service = Service::open().await?;
    let (mut last, mut count) = (0, 0);
    while last != -1 {
        let mut query = vec![("parentFileId", arguments.get("id")?.to_owned()), ("limit", "100".to_owned())];
        if last > 0 {
            query.push(("lastFileId", last.to_string()));
        }
        let page: Page = service.get("/api/v2/file/list", &query).await?;
        count += page.rows.len() as u64;
        last = page.last;
    }
    (count == arguments.number("count")?).then_some(()).ok_or_else(|| format!("{count} entries were listed").into())
}

/// The Open Platform with a token.
struct Service {
    client: reqwest::Client,
    base: String,
    token: String,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

impl Service {
    async fn open() -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Token {
            #[serde(rename = "accessToken")]
            access: String,
        }
        let (client, base) = (client()?, Arguments::environment("PAN123_OPEN_URL")?);
        let app = serde_json::json!({
            "clientID": Arguments::environment("PAN123_CLIENT_ID")?,
            "clientSecret": Arguments::environment("PAN123_CLIENT_SECRET")?,
        });
        let request = client.post(format!("{base}/api/v1/access_token")).header("Platform", "open_platform").json(&app);
        let answer: Envelope<Token> = serde_json::from_slice(&request.send().await?.bytes().await?)?;
        Ok(Self { client, base, token: answer.data.access })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, Failure> {
        let request = self.client.get(format!("{}{path}", self.base)).query(query);
        let request = request.header("Platform", "open_platform").bearer_auth(&self.token);
        let answer: Envelope<T> = serde_json::from_slice(&request.send().await?.bytes().await?)?;
        Ok(answer.data)
    }
}

fn client() -> Result<reqwest::Client, Failure> {
    // No address here is https; the library wants to know all the same.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    Ok(reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build()?)
}

/// Serves until it is stopped, as the other end of `send`: reads and throws away.
#[expect(clippy::print_stdout, reason = "the address that the caller reads")]
fn sink() -> Result<String, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("http://{}/", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept()?;
        // Whoever hangs up in the middle is of no interest.
        std::thread::spawn(move || drop(swallow(stream)));
    }
}

fn swallow(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut buffer, mut filled) = (vec![0; BUFFER], 0);
    loop {
        let head = loop {
            if let Some(end) = buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read(&mut buffer[filled..])? {
                0 => return Ok(()),
                count => filled += count,
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap_or("0");
        let mut left = length.trim().parse::<usize>().unwrap_or(0).saturating_sub(filled - head);
        while left > 0 {
            match stream.read(&mut buffer)? {
                0 => return Ok(()),
                count => left = left.saturating_sub(count),
            }
        }
        filled = 0;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    }
}
