//! The one source of made-up numbers: the same seed gives the same run.

/// The next number of the splitmix64 sequence.
pub(crate) fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A number from 0 up to, not including, `bound`.
pub(crate) fn below(state: &mut u64, bound: u64) -> u64 {
    next(state) % bound.max(1)
}

/// Letters and digits that look like the service's tickets.
pub(crate) fn word(state: &mut u64, length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    (0..length).map(|_| char::from(LETTERS[below(state, LETTERS.len() as u64) as usize])).collect()
}
