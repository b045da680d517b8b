//! What a share is refused for: each reason has a kind of its own, and nothing is asked twice that cannot help.

use pan123_core::BoxFuture;
use pan123_share::{ErrorKind, FileId, Result, Token, TokenSource};
use pan123_sim::{Fault, Guests, ShareOptions};

use crate::world::{NOW, World};

#[tokio::test]
async fn each_reason_has_its_kind_after_one_request() {
    let world = World::new().await;
    world.sim.put("/a", "x");
    let share = |options| world.share(&["/a"], options);
    let (locked, cancelled, blocked) = (
        share(ShareOptions::default().password("aB12")),
        share(ShareOptions::default()),
        share(ShareOptions::default()),
    );
    let expired = share(ShareOptions::default().expires(NOW + 10));
    world.sim.cancel_share(cancelled.as_str());
    world.sim.block_share(blocked.as_str());
    world.sim.set_clock(NOW + 10);
    let wrong = || world.builder(&locked).password("zzzz".parse().unwrap()).build().unwrap();
    for (client, kind) in [
        (world.guest(&locked), ErrorKind::SharePasswordRequired),
        (wrong(), ErrorKind::WrongSharePassword),
        (world.guest(&cancelled), ErrorKind::ShareGone),
        (world.guest(&blocked), ErrorKind::ContentRejected),
        (world.guest(&expired), ErrorKind::ShareExpired),
        (world.guest(&"5LF8Vv-none".parse().unwrap()), ErrorKind::ShareGone),
        (world.guest(&"_-".parse().unwrap()), ErrorKind::ShareGone),
    ] {
        world.sim.clear_requests();
        let error = client.list(FileId::ROOT).next().await.unwrap_err();
        assert_eq!((error.kind(), world.sim.count("share/share.list")), (kind, 1), "{error}");
        assert!(!error.is_retryable() && error.message().is_some(), "{error}");
    }
    assert!(world.guest(&expired).info().await.unwrap().is_expired);
}

#[tokio::test]
async fn a_challenge_or_a_ban_is_one_request() {
    let world = World::new().await;
    let key = world.share(&["/"], ShareOptions::default());
    for (fault, kind) in [
        (Fault::on("share/*").every().code(1).message("请进行验证"), ErrorKind::LoginChallenge),
        (Fault::on("share/*").every().code_text("403").message("forbidden client ip"), ErrorKind::Blocked),
    ] {
        world.sim.clear_faults();
        world.sim.clear_requests();
        world.sim.fault(fault);
        for client in [world.guest(&key), world.user(&key)] {
            let error = client.info().await.unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (kind, 1), "{error}");
        }
        assert_eq!(world.sim.requests().len(), 2);
    }
}

#[tokio::test]
async fn after_a_challenge_of_the_account_its_token_is_not_sent_again_until_a_reset() {
    let world = World::new().await;
    world.sim.put("/a", "x");
    let key = world.share(&["/a"], ShareOptions::default());
    let user = world.user(&key);
    let file = user.list(FileId::ROOT).collect().await.unwrap().remove(0);
    world.sim.fault(Fault::on("share/share.download_info").code(401).message("请进行验证"));
    for _ in 0..3 {
        assert_eq!(user.link(&file).await.unwrap_err().kind(), ErrorKind::LoginChallenge);
    }
    assert_eq!(world.sim.count("share/share.download_info"), 1);
    user.list(FileId::ROOT).collect().await.unwrap();
    user.reset_challenge();
    user.link(&file).await.unwrap();
}

#[tokio::test]
async fn too_many_requests_end_within_bounds() {
    let world = World::new().await;
    let key = world.share(&["/"], ShareOptions::default());
    world.sim.fault(Fault::on("share/share.info").every().code(429).message("操作频繁"));
    let error = world.guest(&key).info().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 5), "{error}");
}

#[tokio::test]
async fn a_download_says_what_the_service_demands() {
    let world = World::new().await;
    world.sim.put("/small", "12345");
    world.sim.put("/large", vec![0; 6]);
    let key = world.share(&["/small", "/large"], ShareOptions::default().guests(Guests::UpTo(5)));
    let guest = world.guest(&key);
    for file in guest.list(FileId::ROOT).collect().await.unwrap() {
        let link = guest.link(&file).await;
        if file.name == "small" {
            link.unwrap();
            continue;
        }
        let error = link.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::LoginRequired, Some(401)), "{error}");
        assert!(error.message().unwrap().contains("登录"), "the service's own rule is handed on: {error}");
        world.user(&key).link(&file).await.unwrap();
    }
    let closed = world.share(&["/small"], ShareOptions::default());
    let file = world.guest(&closed).list(FileId::ROOT).collect().await.unwrap().remove(0);
    let error = world.guest(&closed).link(&file).await.unwrap_err();
    assert_eq!((error.kind(), error.code(), error.attempts()), (ErrorKind::LoginRequired, Some(5112), 1), "{error}");

    world.sim.use_up_traffic(true);
    let error = world.user(&closed).link(&file).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::QuotaExceeded, 1), "{error}");
}

#[tokio::test]
async fn a_dead_token_is_said_to_be_dead_and_asked_with_once() {
    let world = World::new().await;
    world.sim.put("/a", "x");
    let key = world.share(&["/a"], ShareOptions::default());
    let file = world.guest(&key).list(FileId::ROOT).collect().await.unwrap().remove(0);
    let dead = world.builder(&key).token(Token::new("eyJ.dead.token")).build().unwrap();
    let error = dead.link(&file).await.unwrap_err();
    assert_eq!((error.kind(), world.sim.count("share/share.download_info")), (ErrorKind::Unauthorized, 1), "{error}");
    let error = world.guest(&key).save_to([&file], FileId::ROOT).await.unwrap_err();
    assert_eq!((error.kind(), world.sim.count("share/share.save")), (ErrorKind::Config, 0), "{error}");
}

/// Hands out a token that works, as a login does.
#[derive(Debug)]
struct Login(Token);

impl TokenSource for Login {
    fn fetch<'a>(&'a self, _previous: Option<&'a Token>) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_whichever_code_says_so() {
    let world = World::new().await;
    world.sim.put("/a", "x");
    let key = world.share(&["/a"], ShareOptions::default());
    let file = world.guest(&key).list(FileId::ROOT).collect().await.unwrap().remove(0);
    for code in [401, 20101] {
        let share = world.builder(&key).token_source(Login(Token::new(world.sim.web_token()))).build().unwrap();
        world.sim.clear_requests();
        world.sim.fault(Fault::on("share/share.download_info").code(code).message("未登录"));
        share.link(&file).await.unwrap_or_else(|error| panic!("{code}: {error}"));
        assert_eq!(world.sim.count("share/share.download_info"), 2, "{code}");
        world.sim.fault(Fault::on("share/share.download_info").code(code).message("未登录"));
        let guest = world.guest(&key).link(&file).await.unwrap_err();
        assert_eq!(guest.kind(), ErrorKind::LoginRequired, "{code}");
    }
}

#[tokio::test]
async fn a_file_that_is_gone_or_withheld_is_not_there() {
    let world = World::new().await;
    world.sim.put("/a", "x");
    let key = world.share(&["/a"], ShareOptions::default().guests(Guests::Everything));
    let guest = world.guest(&key);
    let file = guest.list(FileId::ROOT).collect().await.unwrap().remove(0);
    world.sim.fault(Fault::on("share/share.download_info").code(400).message("源文件不存在"));
    assert_eq!(guest.link(&file).await.unwrap_err().kind(), ErrorKind::NotFound);

    let row = r#"{"FileId":7,"FileName":"a","Type":0,"Size":1,"Etag":"9dd4e461268c8034f5c8564e155c67a6","Status":101}"#;
    let withheld = serde_json::from_str(row).unwrap();
    world.sim.clear_requests();
    assert_eq!(guest.link(&withheld).await.unwrap_err().kind(), ErrorKind::ContentRejected);
    assert!(world.sim.requests().is_empty(), "it is refused before a request");
}
