//! A user grants an app access; the app gets its tokens, keeps them in a file, and refreshes them.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use pan123::{
    core::{FileTokenStore, TokioRuntime},
    open::{
        Client, ClientBuilder, Hosts, Tier,
        ops::oauth::{AuthState, AuthorizePage, Granted},
    },
};
use pan123_sim::Simulator;

/// Where the service sends the user back to, as it was registered for the app.
const REDIRECT: &str = "https://app.example.org/cb";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::start().await?;
    let (app_id, app_secret) = (sim.client_id(), sim.client_secret());

    // 1. The user opens this address in a browser and says yes.
    let state = AuthState::random(&TokioRuntime);
    let page = AuthorizePage::new(app_id, REDIRECT, state.clone());
    println!("open {}", page.url());

    // 2. The browser comes back to the app with a code. Here the simulator grants it; the state shows that it answers us.
    let back = format!("{REDIRECT}?code={}&state={}", sim.grant_code(REDIRECT), state.as_str());
    let granted = Granted::from_redirect(&back.parse()?, &state)?;

    // 3. The first call exchanges the code, and the pair of tokens is in the file before it is used.
    let folder = tempfile::tempdir()?;
    let store = FileTokenStore::new(folder.path().join("token.json"));
    let client =
        builder(&sim)?.oauth_code(app_id, app_secret, granted.code, REDIRECT).token_store(store.clone()).build()?;
    println!("access to the drive of user {}", client.user_info().await?.id);

    // 4. When the access token is refused or about to end, it is refreshed. A refresh token works once: the new pair is
    //    saved before it is used, also by a program that was started again.
    sim.expire_tokens();
    let refresh_token = client.token().await?.refresh().cloned().ok_or("there is a refresh token")?;
    let again = builder(&sim)?.oauth(app_id, app_secret, refresh_token).token_store(store).build()?;
    again.user_info().await?;
    println!("refreshed, good until {:?}", again.token().await?.expires_at());
    Ok(())
}

fn builder(sim: &Simulator) -> pan123::core::Result<ClientBuilder> {
    Ok(Client::builder().hosts(Hosts::default().with_open(&sim.urls().open)?).tier(Tier::OAuth))
}
