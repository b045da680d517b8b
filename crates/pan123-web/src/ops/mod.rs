//! Every operation of the web API, as a value that a client sends.
//!
//! An operation is found from its entry in the protocol reference: `file.rename` is in [`manage`], and [`ALL`] lists the
//! facts of each in the reference's order. It checks its limits when it is sent, before any request is made.

pub mod app;
pub mod auth;
pub mod downloads;
pub mod files;
pub mod links;
pub mod offline;
pub mod qr;
pub mod shares;
pub mod uploads;
pub mod user;
pub mod webdav;

use pan123_core::{Meta, Role};

/// The facts of every operation, in the order of the protocol reference.
pub const ALL: &[Meta] = &joined();

/// The parts of the reference, in its order.
const AREAS: [&[Meta]; 10] = [
    auth::ALL,
    user::ALL,
    files::ALL,
    downloads::ALL,
    uploads::ALL,
    shares::ALL,
    offline::ALL,
    links::ALL,
    webdav::ALL,
    app::ALL,
];

const fn count() -> usize {
    let (mut area, mut count) = (0, 0);
    while area < AREAS.len() {
        count += AREAS[area].len();
        area += 1;
    }
    count
}

const fn joined() -> [Meta; count()] {
    let mut all = [get("", ""); count()];
    let (mut area, mut place) = (0, 0);
    while area < AREAS.len() {
        let mut row = 0;
        while row < AREAS[area].len() {
            all[place] = AREAS[area][row];
            place += 1;
            row += 1;
        }
        area += 1;
    }
    all
}

/// A GET of the web API with a token and a signature.
const fn get(id: &'static str, path: &'static str) -> Meta {
    Meta::get(id, path).role(Role::Web)
}

/// A POST of the web API with a token and a signature.
const fn post(id: &'static str, path: &'static str) -> Meta {
    Meta::post(id, path).role(Role::Web)
}

/// A PUT of the web API with a token and a signature.
const fn put(id: &'static str, path: &'static str) -> Meta {
    Meta::put(id, path).role(Role::Web)
}
