//! What signing one direct link costs, in MD5s of the text that is signed.
//!
//! `cargo bench -p pan123-bench --bench sign` prints it.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

use std::hint::black_box;

use md5::{Digest, Md5};
use pan123_bench::compare;
use pan123_link::{Nonce, Signer, UnixTime};

fn main() {
    let signer = Signer::new(1812, "ZxCv-2468_key").unwrap();
    let (path, now) = ("/1812/films/2026/an-autumn-evening.mp4", UnixTime::from_secs(1_800_000_000));
    let url = format!("https://vip.123pan.cn{path}");
    let nonce = Nonce::from_bytes([7; 16]);
    let text = format!("{path}-1800001800-{}-1812-ZxCv-2468_key", nonce.as_str());
    compare(
        "signing one direct link",
        &[
            ("the MD5 of the signed text", &|| _ = black_box(Md5::digest(black_box(&text)))),
            ("a link, with the nonce given", &|| _ = black_box(signer.sign_at(black_box(&url), now, &nonce)).unwrap()),
            ("16 random bytes", &|| getrandom::fill(black_box(&mut [0; 16])).unwrap()),
            ("a link, with a fresh nonce", &|| _ = black_box(signer.sign(black_box(&url))).unwrap()),
        ],
    );
}
