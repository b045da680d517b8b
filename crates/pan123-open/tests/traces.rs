//! Trace events: each call leaves one, and none holds a secret.
//!
//! In a program of its own, because what `tracing` is interested in is decided for the whole process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to fail there")]

use std::sync::{Arc, Mutex};

use pan123_core::Fetch;
use pan123_open::{Client, FileId, Hosts, RateLimits, Source};
use pan123_sim::{Fault, Simulator};

/// Collects every event and span of `tracing` as text.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<String>>);

impl tracing::Subscriber for Collector {
    fn enabled(&self, _metadata: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        self.write(&format!("{} {:?}", span.metadata().name(), span.values()));
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _span: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        self.write(&format!("{values:?}"));
    }

    fn record_follows_from(&self, _span: &tracing::span::Id, _follows: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        self.write(&format!("{event:?}"));
    }

    fn enter(&self, _span: &tracing::span::Id) {}

    fn exit(&self, _span: &tracing::span::Id) {}
}

impl Collector {
    fn write(&self, text: &str) {
        let mut all = self.0.lock().unwrap();
        all.push_str(text);
        all.push('\n');
    }
}

#[test]
fn no_secret_is_in_a_trace_event() {
    // One thread, so that every event meets the subscriber of this test and no other.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let collector = Collector::default();
    tracing::subscriber::with_default(collector.clone(), || {
        runtime.block_on(async {
            let sim = Simulator::start().await.unwrap();
            let hosts = Hosts::default().with_open(&sim.urls().open).unwrap();
            let builder = Client::builder().app(sim.client_id(), sim.client_secret()).link_key(sim.link_key());
            let client = builder.hosts(hosts).rate_limits(RateLimits::unlimited()).build().unwrap();
            sim.enable_direct_link("/films");
            let file = FileId::new(sim.put("/films/a.bin", "content"));
            let link = client.direct_link(file).await.unwrap();
            client.send(Fetch::new(link.clone())).await.unwrap();
            client.download(file).bytes(100).await.unwrap();
            client.upload(Source::bytes("other content")).name("b.bin").single_step_up_to(0).send().await.unwrap();
            let token = client.token().await.unwrap().access().expose().to_owned();
            sim.fault(Fault::on("open/user.info").code(77).message(format!("bad token {token}")));
            client.user_info().await.unwrap_err();
            let shown = collector.0.lock().unwrap().clone();
            for call in ["open/user.info", "open/upload_v2.slice", "open/dlink.url", "open/file.download_content"] {
                assert!(shown.contains(call), "{call} left no trace: {shown}");
            }
            let query = link.url().query().unwrap().trim_start_matches("auth_key=").to_owned();
            for secret in [token.as_str(), sim.client_secret(), sim.link_key(), &query] {
                assert!(!shown.contains(secret), "{secret} is in {shown}");
            }
        });
    });
}
