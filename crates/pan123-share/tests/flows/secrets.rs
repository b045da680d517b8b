//! Secrets planted everywhere, and looked for in everything that can be printed or is sent to other hosts.

use std::error::Error as _;

use pan123_share::{Client, Error, FileId, ShareLink, Token, ops};
use pan123_sim::{Fault, ShareOptions};

use crate::world::World;

fn everything(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {:?}", error.message());
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(" {inner} {inner:?}"));
        cause = inner.source();
    }
    text
}

#[tokio::test]
async fn neither_token_nor_password_can_be_printed() {
    let link = ShareLink::parse("5LF8Vv-a1Bc 提取码:Pw9x").unwrap();
    let builder = Client::builder(link.clone()).token(Token::new("planted-token"));
    let mut shown = format!("{link:?} {builder:?}");
    let list = ops::shares::List::new(link.key(), FileId::ROOT).password("Pw9x");
    shown.push_str(&format!("{:?} {list:?}", builder.build().unwrap()));
    assert!(!shown.contains("Pw9x") && !shown.contains("planted"), "{shown}");
}

#[tokio::test]
async fn what_a_service_repeats_is_struck_out() {
    let world = World::new().await;
    let key = world.share(&["/"], ShareOptions::default().password("Pw9x"));
    let token = world.sim.web_token();
    let builder = || world.builder(&key).password("Pw9x".parse().unwrap());
    let user = builder().token(Token::new(token.clone())).build().unwrap();
    let row = r#"{"FileId":7,"FileName":"a","Type":0,"Size":1,"Etag":"9dd4e461268c8034f5c8564e155c67a6"}"#;
    let file = serde_json::from_str(row).unwrap();
    for message in [format!("token {token} is bad"), "password Pw9x is odd".to_owned(), "SharePwd=Pw9x".to_owned()] {
        world.sim.fault(Fault::on("share/*").every().code(77).message(&message));
        for error in [
            user.link(&file).await.unwrap_err(),
            user.list(FileId::ROOT).next().await.unwrap_err(),
            user.save_to([&file], FileId::ROOT).await.unwrap_err(),
        ] {
            let shown = everything(&error);
            assert!(!shown.contains("Pw9x") && !shown.contains(&token), "{shown}");
        }
        world.sim.clear_faults();
    }
}

#[tokio::test]
async fn storage_hosts_learn_nothing_of_the_account_or_the_share() {
    let world = World::new().await;
    world.sim.put("/a", "hello");
    let key = world.share(&["/a"], ShareOptions::default().password("Pw9x"));
    let user = world.builder(&key).password("Pw9x".parse().unwrap()).token(Token::new(world.sim.web_token()));
    let user = user.login_uuid("0123456789abcdef0123456789abcdef").build().unwrap();
    let file = user.list(FileId::ROOT).collect().await.unwrap().remove(0);
    user.download(&file).bytes(10).await.unwrap();
    let requests = world.sim.requests();
    let data: Vec<_> =
        requests.iter().filter(|request| request.operation.as_deref() == Some("open/file.download_content")).collect();
    assert!(data.len() >= 2, "a hop and the file");
    for request in data {
        for name in ["authorization", "cookie", "platform", "app-version", "loginuuid", "origin"] {
            assert!(request.header(name).is_none(), "{name}");
        }
        assert!(!request.header("referer").unwrap_or_default().contains(key.as_str()));
    }
    let control =
        requests.iter().find(|request| request.operation.as_deref() == Some("share/share.download_info")).unwrap();
    assert_eq!(control.header("loginuuid"), Some("0123456789abcdef0123456789abcdef"));
    assert!(control.header("authorization").is_some());
    let list = requests.iter().find(|request| request.operation.as_deref() == Some("share/share.list")).unwrap();
    assert!(list.header("authorization").is_none(), "listing needs no token");
}
