//! Logging in by a QR code: whatever the person with the phone does.

use pan123_sim::{Fault, QrAction};
use pan123_web::{ErrorKind, FileTokenStore, MOST_QR_CODES, QR_LIFETIME, QrLogin, QrStatus};

use crate::world::{World, builder};

const GENERATE: &str = "web/auth.qr_generate";
const RESULT: &str = "web/auth.qr_result";

async fn login(world: &World) -> QrLogin {
    builder(&world.sim, &world.runtime).qr_login().await.unwrap()
}

/// What a phone does with the code that is shown.
fn phone(world: &World, shown: &str, action: QrAction) {
    let shown: url::Url = shown.parse().unwrap();
    let session = shown.query_pairs().find(|(name, _)| name == "uniID").unwrap().1;
    world.sim.qr(&session, action);
}

#[tokio::test]
async fn the_app_scans_and_confirms() {
    let world = World::new().await;
    let mut login = login(&world).await;
    let session = world.sim.qr_sessions().remove(0);
    let shown = login.url().to_owned();
    let end = format!("?env=production&uniID={session}&source=123pan&type=login");
    assert!(login.url().ends_with(&end), "{}", login.url());
    phone(&world, &shown, QrAction::Scan);
    assert_eq!(login.changed().await.unwrap(), QrStatus::Scanned);
    phone(&world, &shown, QrAction::Confirm);
    assert_eq!(login.changed().await.unwrap(), QrStatus::Confirmed);
    assert_eq!(login.changed().await.unwrap(), QrStatus::Confirmed, "it stays so, without a request");
    let polls = world.sim.count(RESULT);
    let client = login.wait().await.unwrap();
    assert_eq!(world.sim.count(RESULT), polls);
    assert_eq!(client.user_info().await.unwrap().id.get(), world.sim.uid().unsigned_abs());
}

#[tokio::test]
async fn wechat_confirms_in_either_form() {
    for quirks in [false, true] {
        let world = World::with(|sim| sim.quirks(quirks), |client| client).await;
        let login = login(&world).await;
        phone(&world, login.url(), QrAction::ConfirmByWechat);
        // The code of WeChat takes a moment.
        let empty = r#"{"code":0,"message":"ok","data":{"wxCode":""}}"#;
        world.sim.fault(Fault::on("web/auth.qr_wx_code").body("application/json", empty));
        let client = login.wait().await.unwrap();
        client.user_info().await.unwrap();
        assert!(world.sim.count("web/auth.qr_wx_code") >= 2);
        assert_eq!(world.sim.count("web/auth.sign_in_wechat"), 1);
    }
}

#[tokio::test]
async fn a_person_refuses() {
    let world = World::new().await;
    let login = login(&world).await;
    phone(&world, login.url(), QrAction::Refuse);
    let error = login.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(error.to_string(), "web/auth.qr_result: the login was refused on the phone");
}

#[tokio::test]
async fn a_code_expires_and_another_takes_its_place() {
    let world = World::new().await;
    let mut first = login(&world).await;
    phone(&world, first.url(), QrAction::Expire);
    let before = first.url().to_owned();
    assert_eq!(first.changed().await.unwrap(), QrStatus::Expired);
    first.renew().await.unwrap();
    assert_ne!(first.url(), before);
    phone(&world, first.url(), QrAction::Confirm);
    first.wait().await.unwrap();

    let second = login(&world).await;
    phone(&world, second.url(), QrAction::Expire);
    let error = second.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("expired"), "{error}");
}

#[tokio::test]
async fn codes_are_shown_until_one_is_confirmed_and_not_for_ever() {
    let world = World::new().await;
    let mut shown = Vec::new();
    let client = login(&world).await.wait_showing(|url| {
        shown.push(url.to_owned());
        phone(&world, url, if shown.len() < 3 { QrAction::Expire } else { QrAction::Confirm });
    });
    client.await.unwrap().user_info().await.unwrap();
    shown.sort();
    shown.dedup();
    assert_eq!((shown.len(), world.sim.count(GENERATE)), (3, 3), "each is another");

    world.sim.clear_requests();
    let nobody = login(&world).await.wait_showing(|url| phone(&world, url, QrAction::Expire)).await;
    assert_eq!(nobody.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(world.sim.count(GENERATE), MOST_QR_CODES as usize);
}

#[tokio::test]
async fn a_service_that_never_ends_a_session_is_given_up() {
    let world = World::new().await;
    let begun = world.runtime.sleeps().len();
    assert!(login(&world).await.wait().await.unwrap_err().to_string().contains("expired"));
    let slept = &world.runtime.sleeps()[begun..];
    assert!(slept.iter().all(|pause| (1000..=1500).contains(&pause.as_millis())), "{slept:?}");
    let waited: std::time::Duration = slept.iter().sum();
    assert!(waited >= QR_LIFETIME && waited.as_secs() < QR_LIFETIME.as_secs() + 3, "{waited:?}");
}

#[tokio::test]
async fn a_confirmation_without_a_token_is_waited_for_and_tried_at_wechat_once_before_the_end() {
    let unclear = r#"{"code":0,"message":"ok","data":{"loginStatus":3,"scanPlatform":7}}"#;
    let world = World::new().await;
    let waiting = login(&world).await;
    phone(&world, waiting.url(), QrAction::Confirm);
    world.sim.fault(Fault::on(RESULT).times(3).body("application/json", unclear));
    waiting.wait().await.unwrap();
    assert_eq!((world.sim.count(RESULT), world.sim.count("web/auth.qr_wx_code")), (4, 0));

    // One client says that 3 is what others call expired.
    world.sim.fault(Fault::on(RESULT).every().body("application/json", unclear));
    login(&world).await.wait().await.unwrap_err();
    assert_eq!(world.sim.count("web/auth.qr_wx_code"), 1);
}

#[tokio::test]
async fn a_session_that_is_gone_has_expired_and_a_challenge_or_a_broken_answer_is_an_error() {
    let world = World::new().await;
    for code in [401, 403, 404] {
        let mut login = login(&world).await;
        world.sim.fault(Fault::on(RESULT).code(code).message("二维码已失效"));
        assert_eq!(login.changed().await.unwrap(), QrStatus::Expired, "{code}");
    }
    let mut login = login(&world).await;
    world.sim.fault(Fault::on(RESULT).code(403).message("当前账号存在安全风险"));
    assert_eq!(login.changed().await.unwrap_err().kind(), ErrorKind::LoginChallenge);
    world.sim.fault(Fault::on(RESULT).page_shell());
    assert_eq!(login.changed().await.unwrap_err().kind(), ErrorKind::ProtocolChanged);
    phone(&world, login.url(), QrAction::Confirm);
    login.wait().await.unwrap();
}

#[tokio::test]
async fn one_device_id_and_the_gateway_s_cookies_go_through_the_whole_login() {
    let world = World::new().await;
    world.sim.fault(Fault::on(GENERATE).after().header("set-cookie", "gateway=g1; Path=/; HttpOnly"));
    let login = login(&world).await;
    phone(&world, login.url(), QrAction::ConfirmByWechat);
    let client = login.wait().await.unwrap();
    client.user_info().await.unwrap();
    let requests = world.sim.requests();
    let uuid = requests[0].header("loginuuid").unwrap().to_owned();
    assert_eq!((uuid.len(), client.login_uuid()), (32, Some(uuid.as_str())));
    for request in &requests {
        assert_eq!(request.header("loginuuid"), Some(uuid.as_str()), "{:?}", request.operation);
        let is_login = request.operation.as_deref().is_some_and(|op| op.starts_with("web/auth."));
        let want = (is_login && request.operation.as_deref() != Some(GENERATE)).then_some("gateway=g1");
        assert_eq!(request.header("cookie"), want, "{:?}", request.operation);
    }
    let told = builder(&world.sim, &world.runtime).login_uuid("0123456789abcdef0123456789abcdef").qr_login().await;
    drop(told.unwrap());
    assert_eq!(world.sim.requests().last().unwrap().header("loginuuid"), Some("0123456789abcdef0123456789abcdef"));
}

#[tokio::test]
async fn the_login_is_kept_for_a_restart_and_one_that_cannot_be_kept_is_not_used() {
    let world = World::new().await;
    let store = || FileTokenStore::new(world.path("login.json"));
    let login = builder(&world.sim, &world.runtime).token_store(store()).qr_login().await.unwrap();
    phone(&world, login.url(), QrAction::Confirm);
    login.wait().await.unwrap();
    let restarted = builder(&world.sim, &world.runtime).token_store(store()).build().unwrap();
    restarted.user_info().await.unwrap();
    assert_eq!(world.sim.count(GENERATE), 1);

    let nowhere = FileTokenStore::new(world.path("no/such/folder/login.json"));
    let login = builder(&world.sim, &world.runtime).token_store(nowhere).qr_login().await.unwrap();
    phone(&world, login.url(), QrAction::Confirm);
    assert_eq!(login.wait().await.unwrap_err().kind(), ErrorKind::TokenStore);
}

#[tokio::test]
async fn a_token_that_the_service_refuses_takes_the_place_of_none() {
    const INFO: &str = "web/user.info";
    let world = World::new().await;
    let store = || FileTokenStore::new(world.path("login.json"));
    let kept = || async {
        let client = builder(&world.sim, &world.runtime).token_store(store()).build().unwrap();
        client.tokens().get().await.map(|token| token.access().expose().to_owned())
    };
    let log_in = || async {
        let login = builder(&world.sim, &world.runtime).token_store(store()).qr_login().await.unwrap();
        phone(&world, login.url(), QrAction::Confirm);
        login.wait().await
    };
    log_in().await.unwrap();
    let first = kept().await.unwrap();
    for (fault, kind) in [
        (Fault::on(INFO).code(401), ErrorKind::Unauthorized),
        (Fault::on(INFO).code(401).message("请进行验证"), ErrorKind::LoginChallenge),
        (Fault::on(INFO).body("application/json", r#"{"code":0,"message":"ok","data":{"UID":0}}"#), ErrorKind::Decode),
    ] {
        world.sim.fault(fault);
        assert_eq!(log_in().await.unwrap_err().kind(), kind);
        assert_eq!(kept().await.unwrap(), first);
    }
    // A line that is down says nothing of the token.
    world.sim.fault(Fault::on(INFO).times(5).status(502));
    log_in().await.unwrap();
    assert_ne!(kept().await.unwrap(), first);
}

#[tokio::test]
async fn a_line_that_is_down_for_a_while_is_waited_for_and_one_that_stays_down_is_said_to_be() {
    let world = World::new().await;
    let waiting = login(&world).await;
    phone(&world, waiting.url(), QrAction::Confirm);
    world.sim.fault(Fault::on(RESULT).times(12).status(502));
    waiting.wait().await.unwrap();
    assert_eq!(world.sim.count(RESULT), 13);

    let waiting = login(&world).await;
    world.sim.fault(Fault::on(RESULT).every().status(502));
    assert_eq!(waiting.wait().await.unwrap_err().kind(), ErrorKind::Server);

    // A login that may have happened is not repeated behind the person's back.
    world.sim.clear_faults();
    world.sim.clear_requests();
    let waiting = login(&world).await;
    phone(&world, waiting.url(), QrAction::ConfirmByWechat);
    world.sim.fault(Fault::on("web/auth.sign_in_wechat").drop_answer());
    assert!(waiting.wait().await.unwrap_err().may_have_happened());
    assert_eq!(world.sim.count("web/auth.sign_in_wechat"), 1);
}
