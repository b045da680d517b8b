//! Logging in with a QR code: shown, scanned, confirmed, and kept for the next run.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use pan123::{
    core::FileTokenStore,
    web::{Client, ClientBuilder, Hosts, QrStatus},
};
use pan123_sim::{QrAction, Simulator};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::start().await?;
    let folder = tempfile::tempdir()?;
    let store = FileTokenStore::new(folder.path().join("login.json"));

    // 1. Put this text into a QR picture. Here the simulator holds the phone.
    let mut login = builder(&sim)?.token_store(store.clone()).qr_login().await?;
    println!("scan {}", login.url());
    let mut phone = [QrAction::Scan, QrAction::Expire, QrAction::Confirm].into_iter();

    // 2. Follow what the person does. A code lasts for about a minute; then there is another.
    let client = loop {
        if let Some(action) = phone.next() {
            sim.qr(session(login.url()), action);
        }
        match login.changed().await? {
            QrStatus::Scanned => println!("scanned: confirm on the phone"),
            QrStatus::Expired => {
                login.renew().await?;
                println!("scan {}", login.url());
            }
            // Refused is an error here, with its own text.
            QrStatus::Confirmed | QrStatus::Refused => break login.wait().await?,
            other => println!("{other:?}"),
        }
    };
    println!("logged in as account {}", client.account_id().await?);

    // 3. The next run needs neither a code nor a password: the login is in the store.
    let again = builder(&sim)?.token_store(store).build()?;
    println!("{} bytes are taken", again.user_info().await?.space_used);

    // 4. Dropping a client leaves the login alone; this ends it, here and at the service.
    again.logout().await?;
    Ok(())
}

/// What the phone reads in the picture.
fn session(shown: &str) -> &str {
    shown.split(['?', '&']).find_map(|pair| pair.strip_prefix("uniID=")).unwrap_or_default()
}

fn builder(sim: &Simulator) -> pan123::web::Result<ClientBuilder> {
    Ok(Client::builder().hosts(Hosts::default().with_web(&sim.urls().web)?.with_login(&sim.urls().login)?))
}
