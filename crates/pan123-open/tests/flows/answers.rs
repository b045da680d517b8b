//! Answers that are not what they should be: each an error of its own kind, or waited out within bounds.

use pan123_open::{ErrorKind, FileId, Timeouts};
use pan123_sim::Fault;

use crate::world::World;

async fn user_info(fault: Fault) -> (World, Result<(), pan123_open::Error>) {
    let world = World::new().await;
    world.sim.fault(fault);
    let result = world.client.user_info().await.map(drop);
    (world, result)
}

fn on() -> Fault {
    Fault::on("open/user.info")
}

#[tokio::test]
async fn each_bad_answer_has_a_kind() {
    for (fault, kind, requests) in [
        (on().every().body("text/html", "<!doctype html><title>123</title>"), ErrorKind::ProtocolChanged, 1),
        (on().every().body("application/json", ""), ErrorKind::ProtocolChanged, 1),
        (on().every().body("application/json", r#"{"code":0,"message":"ok","data":{"uid":18"#), ErrorKind::Decode, 1),
        (on().every().body("application/json", r#"{"code":0,"message":"ok","data":null}"#), ErrorKind::Decode, 1),
        (
            on().every()
                .body("application/json", r#"{"code":"403","message":"123pan-foreign-forbidden cache client ip"}"#),
            ErrorKind::Blocked,
            1,
        ),
        (on().every().status(404), ErrorKind::ProtocolChanged, 1),
        (on().every().status(502), ErrorKind::Server, 5),
        (on().every().drop_answer(), ErrorKind::Connection, 5),
        (on().every().code(429).message("操作频繁"), ErrorKind::RateLimited, 5),
    ] {
        let shown = format!("{fault:?}");
        let (world, result) = user_info(fault).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{shown}: {error}");
        assert_eq!(world.sim.count("open/user.info"), requests, "{shown}");
        assert_eq!(error.endpoint(), Some("open/user.info"));
    }
}

#[tokio::test]
async fn what_is_only_odd_or_temporary_is_got_over() {
    for fault in [
        on().after().code_text("0"),
        on().times(2).status(503),
        on().times(2).code(429),
        on().drop_answer(),
        on().during(),
        on().header("X-Odd", "1"),
        on().duplicate(),
    ] {
        let shown = format!("{fault:?}");
        let (_world, result) = user_info(fault).await;
        assert!(result.is_ok(), "{shown}: {result:?}");
    }
}

#[tokio::test]
async fn a_service_that_falls_silent_is_given_up() {
    let world = World::new().await;
    world.sim.fault(on().every().stall());
    let call = world.client.user_info();
    let watch = async {
        world.sim.when_stalled().await;
        // Every attempt stalls; each time the idle timer is let run out.
        loop {
            world.runtime.fire_timers();
            tokio::task::yield_now().await;
        }
    };
    let error = tokio::select! {
        result = call => result.unwrap_err(),
        () = watch => unreachable!("the watch does not end"),
    };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(Timeouts::default().idle.as_secs(), 30);
}

#[tokio::test]
async fn nobody_there_is_a_connect_error_and_nothing_happened() {
    let world = World::new().await;
    let client = {
        let sim = pan123_sim::Simulator::start().await.unwrap();
        crate::world::builder(&sim, &world.runtime).build().unwrap()
    };
    let error = client.mkdir(FileId::ROOT, "a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(error.is_retryable() && !error.may_have_happened());
}

#[tokio::test]
async fn the_support_trail_is_in_the_error() {
    let body = r#"{"code":77,"message":"奇怪的错误","data":null,"x-traceID":"5d1c0a9e-0001_kong"}"#;
    let (_world, result) = user_info(on().body("application/json", body)).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.code(), error.trace_id()), (ErrorKind::Api, Some(77), Some("5d1c0a9e-0001_kong")));
    assert_eq!(
        error.to_string(),
        "open/user.info: the service refused: 奇怪的错误 (code 77, trace 5d1c0a9e-0001_kong)"
    );
}
