//! The MD5 of a stream and of its equal parts in one pass: two chains of steps, interleaved in one thread.
//!
//! A step of MD5 needs the result of the step before it, so that one chain leaves most of a processor idle. A second
//! chain beside it fills the gaps: both cost little more than one. The blocks of the two chains begin at different
//! places when the size of the parts is not a multiple of 64 bytes; each chain therefore has its own view of the bytes.

use std::hint::black_box;

/// The MD5s of what is fed to it: of the whole, and of every piece of a given size.
#[derive(Clone)]
pub(crate) struct Md5Pair {
    file: Chain,
    part: Chain,
    part_size: u64,
    /// How many bytes the present part still wants.
    left: u64,
    parts: Vec<[u8; 16]>,
}

impl Md5Pair {
    /// Begins with parts of `part_size` bytes, which is not 0.
    pub(crate) fn new(part_size: u64) -> Self {
        assert!(part_size > 0, "a part has bytes");
        Self { file: Chain::new(), part: Chain::new(), part_size, left: part_size, parts: Vec::new() }
    }

    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(take);
            feed(&mut self.file, &mut self.part, now);
            self.left -= take as u64;
            bytes = later;
            if self.left == 0 {
                self.left = self.part_size;
                self.parts.push(std::mem::replace(&mut self.part, Chain::new()).finish());
            }
        }
    }

    /// Returns the MD5 of the whole and those of the parts; the last part may be shorter, and is never empty.
    pub(crate) fn finish(mut self) -> ([u8; 16], Vec<[u8; 16]>) {
        if self.left < self.part_size {
            self.parts.push(self.part.finish());
        }
        (self.file.finish(), self.parts)
    }
}

/// Feeds the same bytes to two chains that may be in the middle of a block, each at its own place.
fn feed(x: &mut Chain, y: &mut Chain, bytes: &[u8]) {
    let (x_blocks, x_rest) = x.complete(bytes).as_chunks();
    let (y_blocks, y_rest) = y.complete(bytes).as_chunks();
    let both = x_blocks.len().min(y_blocks.len());
    let ((x_now, x_later), (y_now, y_later)) = (x_blocks.split_at(both), y_blocks.split_at(both));
    // A constant that the compiler knows is added last, where the next step waits for it; one that is loaded, first,
    // where nothing does. That is a sixth of the time.
    let constants = black_box(&SINES);
    let mut states = [x.state, y.state];
    for (x_block, y_block) in x_now.iter().zip(y_now) {
        states = compress(states, [x_block, y_block], constants);
    }
    [x.state, y.state] = states;
    // One of them may be a block ahead.
    x.blocks(x_later);
    y.blocks(y_later);
    x.keep(x_rest);
    y.keep(y_rest);
}

/// One MD5 on its way.
#[derive(Clone)]
struct Chain {
    state: State,
    length: u64,
    /// A block that has begun.
    begun: Block,
    /// How many of its bytes are there; always less than a block.
    filled: usize,
}

impl Chain {
    fn new() -> Self {
        Self { state: START, length: 0, begun: [0; BLOCK], filled: 0 }
    }

    /// Completes the block that has begun, if one has, and returns what comes after it.
    fn complete<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        self.length = self.length.wrapping_add(bytes.len() as u64);
        if self.filled == 0 {
            return bytes;
        }
        let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
        self.keep(now);
        if self.filled == BLOCK {
            self.filled = 0;
            [self.state] = compress([self.state], [&self.begun], &SINES);
        }
        later
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            [self.state] = compress([self.state], [block], &SINES);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.begun[self.filled..][..bytes.len()].copy_from_slice(bytes);
        self.filled += bytes.len();
    }

    /// Pads with one bit, zeros, and the length in bits.
    fn finish(mut self) -> [u8; 16] {
        let mut end = [0; 2 * BLOCK];
        end[..self.filled].copy_from_slice(&self.begun[..self.filled]);
        end[self.filled] = 0x80;
        let size = if self.filled < BLOCK - 8 { BLOCK } else { 2 * BLOCK };
        end[size - 8..size].copy_from_slice(&self.length.wrapping_mul(8).to_le_bytes());
        self.blocks(end[..size].as_chunks().0);
        let mut digest = [0; 16];
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(self.state) {
            *bytes = word.to_le_bytes();
        }
        digest
    }
}

/// Takes one block into each of `N` states, step by step in turn.
#[inline(always)]
fn compress<const N: usize>(states: [State; N], blocks: [&Block; N], constants: &[u32; 64]) -> [State; N] {
    let words: [[u32; 16]; N] = blocks.map(|block| {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        words
    });
    let [mut a, mut b, mut c, mut d] = [0, 1, 2, 3].map(|place| states.map(|state| state[place]));

    /// A round: its function, its four shifts, and for each of its steps the word and the constant that it adds.
    macro_rules! round {
        ($mix:ident $p:literal $q:literal $r:literal $s:literal: $($w:literal $k:literal, $x:literal $l:literal, $y:literal $m:literal, $z:literal $n:literal;)+) => {$(
            for lane in 0..N { a[lane] = step::<$p>($mix, a[lane], b[lane], c[lane], d[lane], words[lane][$w], constants[$k]); }
            for lane in 0..N { d[lane] = step::<$q>($mix, d[lane], a[lane], b[lane], c[lane], words[lane][$x], constants[$l]); }
            for lane in 0..N { c[lane] = step::<$r>($mix, c[lane], d[lane], a[lane], b[lane], words[lane][$y], constants[$m]); }
            for lane in 0..N { b[lane] = step::<$s>($mix, b[lane], c[lane], d[lane], a[lane], words[lane][$z], constants[$n]); }
        )+};
    }
    round!(f 7 12 17 22:
        0 0, 1 1, 2 2, 3 3;
        4 4, 5 5, 6 6, 7 7;
        8 8, 9 9, 10 10, 11 11;
        12 12, 13 13, 14 14, 15 15;
    );
    round!(g 5 9 14 20:
        1 16, 6 17, 11 18, 0 19;
        5 20, 10 21, 15 22, 4 23;
        9 24, 14 25, 3 26, 8 27;
        13 28, 2 29, 7 30, 12 31;
    );
    round!(h 4 11 16 23:
        5 32, 8 33, 11 34, 14 35;
        1 36, 4 37, 7 38, 10 39;
        13 40, 0 41, 3 42, 6 43;
        9 44, 12 45, 15 46, 2 47;
    );
    round!(i 6 10 15 21:
        0 48, 7 49, 14 50, 5 51;
        12 52, 3 53, 10 54, 1 55;
        8 56, 15 57, 6 58, 13 59;
        4 60, 11 61, 2 62, 9 63;
    );
    std::array::from_fn(|lane| {
        let [w, x, y, z] = states[lane];
        [w.wrapping_add(a[lane]), x.wrapping_add(b[lane]), y.wrapping_add(c[lane]), z.wrapping_add(d[lane])]
    })
}

#[inline(always)]
fn step<const SHIFT: u32>(
    mix: impl Fn(u32, u32, u32, u32) -> u32,
    a: u32,
    b: u32,
    c: u32,
    d: u32,
    word: u32,
    constant: u32,
) -> u32 {
    mix(a.wrapping_add(word).wrapping_add(constant), b, c, d).rotate_left(SHIFT).wrapping_add(b)
}

// The functions of the four rounds, each added to `sum`. The youngest value is `b`: whatever does not need it comes
// first, because the chain waits for it.

#[inline(always)]
fn f(sum: u32, b: u32, c: u32, d: u32) -> u32 {
    sum.wrapping_add(d ^ (b & (c ^ d)))
}

/// The halves have no bit in common, so that a sum, which need not wait for `b`, is as good as an `or`.
#[inline(always)]
fn g(sum: u32, b: u32, c: u32, d: u32) -> u32 {
    sum.wrapping_add(c & !d).wrapping_add(b & d)
}

#[inline(always)]
fn h(sum: u32, b: u32, c: u32, d: u32) -> u32 {
    sum.wrapping_add(b ^ (c ^ d))
}

#[inline(always)]
fn i(sum: u32, b: u32, c: u32, d: u32) -> u32 {
    sum.wrapping_add(c ^ (b | !d))
}

type State = [u32; 4];
type Block = [u8; BLOCK];

const BLOCK: usize = 64;
const START: State = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// The whole part of 2³² times the sine of 1, 2, … 64, without its sign.
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee,
    0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be,
    0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa,
    0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed,
    0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c,
    0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05,
    0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039,
    0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1,
    0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];
