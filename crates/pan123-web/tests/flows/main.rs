//! Flows as a user would notice them, against the simulator.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod ambiguous;
mod archives;
mod challenge;
mod copies;
mod download;
mod folders;
mod hosts;
mod listing;
mod login;
mod organise;
mod qr;
mod resume;
mod secrets;
mod services;
mod tokens;
mod transfers;
mod trash;
mod upload;
mod upload_faults;
mod world;

/// Holds on the first day already, and keeps the rest of `world` in use.
#[tokio::test]
async fn a_client_works_in_the_folder_that_it_is_given() {
    let world = world::World::with(|sim| sim, |client| client.root(pan123_web::FileId::new(7))).await;
    assert_eq!(world.client.root(), pan123_web::FileId::new(7));
}
