//! Signs a direct link: no runtime, no network.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use pan123::link::{Error, Signer};

fn main() -> Result<(), Error> {
    let signer = Signer::new(1812, "the private key of the direct-link page")?;
    let url = signer.sign("https://vip.123pan.cn/1812/films/秋天.mp4")?;
    println!("{url}");
    Ok(())
}
