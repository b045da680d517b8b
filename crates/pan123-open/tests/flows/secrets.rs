//! Secrets planted everywhere, and looked for in everything that can be printed.

use std::error::Error as _;

use pan123_core::Fetch;
use pan123_open::{Client, Error, FileId, FileTokenStore, OnConflict, Source, Token, ops};
use pan123_sim::Fault;

use crate::world::{PART, World, builder, content, id};

const PLANTED: [&str; 4] = ["planted-secret-1", "planted-token-2", "planted-key-3", "planted-refresh-4"];

/// Everything that an error can be made to say.
fn everything(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {:?} {:?}", error.message(), error.trace_id());
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(" {inner} {inner:?}"));
        cause = inner.source();
    }
    text
}

fn check(shown: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} is in: {shown}");
    }
}

#[tokio::test]
async fn no_secret_is_in_anything_that_can_be_printed() {
    let world = World::new().await;
    let token = Token::new(PLANTED[1]).with_refresh(PLANTED[3]);
    let client = Client::builder().app("id", PLANTED[0]).link_key(PLANTED[2]);
    let held = builder(&world.sim, &world.runtime).token(token.clone()).link_key(PLANTED[2]);
    let mut shown = format!("{client:?} {held:?} {token:?}");
    let held = held.build().unwrap();
    shown.push_str(&format!("{:?} {held:?}", client.build().unwrap()));
    shown.push_str(&format!("{:?}", ops::auth::AccessToken::new("id", PLANTED[0])));
    shown.push_str(&format!("{:?}", FileTokenStore::new(world.path("t"))));
    shown.push_str(&format!("{:?}", held.upload(Source::bytes("x"))));
    shown.push_str(&everything(&held.user_info().await.unwrap_err()));
    check(&shown, &PLANTED);
}

#[tokio::test]
async fn no_secret_that_a_service_repeats_comes_through() {
    let world = World::new().await;
    let token = world.client.token().await.unwrap().access().expose().to_owned();
    let secret = world.sim.client_secret().to_owned();
    let repeated = [
        format!("token {token} is bad"),
        format!("Authorization: Bearer {token}"),
        format!("see http://h/p?access_token={token}&x=1"),
        format!("client {secret} unknown"),
    ];
    for message in &repeated {
        // In place of the data too, where a parser would quote it.
        let body = serde_json::json!({"code": 0, "message": "ok", "data": message}).to_string();
        world.sim.fault(Fault::on("open/user.info").body("application/json", body));
        check(&everything(&world.client.user_info().await.unwrap_err()), &[&token]);
        world.sim.fault(Fault::on("open/user.info").code(77).message(message));
        let error = world.client.user_info().await.unwrap_err();
        check(&everything(&error), &[&token]);
        let fresh = builder(&world.sim, &world.runtime).build().unwrap();
        world.sim.fault(Fault::on("open/auth.access_token").code(77).message(message));
        check(&everything(&fresh.user_info().await.unwrap_err()), &[&secret]);
    }
}

#[tokio::test]
async fn no_signed_or_presigned_address_is_in_an_error() {
    let world = World::new().await;
    world.sim.enable_direct_link("/films");
    let file = id(world.sim.put("/films/a.bin", content(PART)));
    let direct = world.client.direct_link(file).await.unwrap();
    let presigned = world.client.link(file).await.unwrap();
    for link in [direct, presigned] {
        let query = link.url().query().unwrap().to_owned();
        let values: Vec<&str> = query.split(['&', '=']).filter(|value| value.len() > 12).collect();
        assert!(!values.is_empty(), "there is something to look for in {query}");
        let fetch = Fetch::new(link.clone());
        let mut shown = format!("{link:?} {fetch:?}");
        for fault in [
            Fault::on("open/file.download_content").status(403),
            Fault::on("open/file.download_content").drop_answer(),
            Fault::on("open/file.download_content").body("text/plain", query.clone()).status(400),
        ] {
            world.sim.fault(fault);
            shown.push_str(&everything(&world.client.pipeline_error(fetch.clone()).await));
        }
        check(&shown, &values);
    }
}

/// Sends a fetch that fails, without a second attempt hiding the failure.
trait FailingFetch {
    async fn pipeline_error(&self, fetch: Fetch) -> Error;
}

impl FailingFetch for Client {
    async fn pipeline_error(&self, fetch: Fetch) -> Error {
        match self.send(fetch).await {
            Ok(fetched) => Error::io("reading", fetched.body.collect(1).await.unwrap_err()),
            Err(error) => error,
        }
    }
}

#[tokio::test]
async fn only_the_services_own_hosts_get_the_token() {
    let world = World::new().await;
    // A service that names somebody else's server for uploads does not get the token sent there.
    let elsewhere = r#"{"code":0,"message":"ok","data":{"fileID":0,"reuse":false,"preuploadID":"p","sliceSize":65536,"servers":["https://evil.example"]}}"#;
    world.sim.fault(Fault::on("open/upload_v2.create").body("application/json", elsewhere));
    let upload = world.client.upload(content(PART)).name("a.bin").single_step_up_to(0).on_conflict(OnConflict::Fail);
    let error = upload.into_folder(FileId::ROOT).send().await.unwrap_err();
    assert!(error.to_string().contains("allow_upload_domain"), "{error}");
    assert_eq!(world.sim.count("open/upload_v2.slice"), 0);
}
