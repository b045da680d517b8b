//! What the MD5 of a file and of its parts costs in one interleaved pass, in passes of the `md-5` crate.
//!
//! `cargo bench -p pan123-transfer --bench hash` prints ratios of times that were taken in turn, each the least of
//! several, over bytes in memory.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use md5::{Digest, Md5};
use md5_pair::Md5Pair;

#[path = "../src/md5_pair.rs"]
mod md5_pair;

#[expect(clippy::print_stdout, reason = "a benchmark says what it found")]
fn main() {
    // `cargo test --benches` only asks whether it runs.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (size, runs) = if measured { (256 << 20, 15) } else { (4 << 20, 1) };
    let bytes: Vec<u8> = (0..size as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    let ways: [Way<'_>; 4] = [
        ("md-5, the file", &|bytes| _ = black_box(one(bytes))),
        ("md-5, the file and then its parts, buffer by buffer", &|bytes| _ = black_box(two(bytes))),
        ("interleaved, parts of 16 MiB", &|bytes| _ = black_box(pair(bytes, PART))),
        ("interleaved, parts of 16 MiB and 1 byte", &|bytes| _ = black_box(pair(bytes, PART + 1))),
    ];
    assert!(two(&bytes) == pair(&bytes, PART), "both ways give the same digests");
    let mut least = [Duration::MAX; 4];
    for _ in 0..runs {
        for ((_, way), least) in ways.iter().zip(&mut least) {
            let begun = Instant::now();
            way(&bytes);
            *least = begun.elapsed().min(*least);
        }
    }
    println!("least of {runs} runs over {} MiB; times of one pass, and of two passes, of md-5", size >> 20);
    for ((name, _), time) in ways.iter().zip(least) {
        let [of_one, of_two] = [least[0], least[1]].map(|other| time.as_secs_f64() / other.as_secs_f64());
        println!("{of_one:5.2} {of_two:5.2}  {name} ({:.0} MB/s)", size as f64 / time.as_secs_f64() / 1e6);
    }
}

/// What a way is called, and what it does.
type Way<'a> = (&'a str, &'a dyn Fn(&[u8]));

fn one(bytes: &[u8]) -> [u8; 16] {
    let mut file = Md5::new();
    bytes.chunks(BUFFER).for_each(|buffer| file.update(buffer));
    file.finalize().into()
}

fn two(bytes: &[u8]) -> ([u8; 16], Vec<[u8; 16]>) {
    let (mut file, mut part, mut parts) = (Md5::new(), Md5::new(), Vec::new());
    for bytes in bytes.chunks(PART as usize) {
        for buffer in bytes.chunks(BUFFER) {
            file.update(buffer);
            part.update(buffer);
        }
        parts.push(part.finalize_reset().into());
    }
    (file.finalize().into(), parts)
}

fn pair(bytes: &[u8], part_size: u64) -> ([u8; 16], Vec<[u8; 16]>) {
    let mut pair = Md5Pair::new(part_size);
    bytes.chunks(BUFFER).for_each(|buffer| pair.update(buffer));
    pair.finish()
}

/// As much as the engine reads at a time.
const BUFFER: usize = 256 << 10;

/// As large as the service makes parts.
const PART: u64 = 16 << 20;
