//! Faults by chance: a share of all requests fails, in one scripted way or another, the same for the same seed.

use crate::fault::Fault;
use crate::seed;

/// The dice.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    state: u64,
    probability: f64,
}

impl Chance {
    pub(crate) fn new(seed: u64, probability: f64) -> Self {
        Self { state: seed, probability }
    }

    /// The fault that a request meets, if it is unlucky.
    ///
    /// Left out are the faults that no client can notice or outlive on its own: flipped bits in an envelope, answers that
    /// never come, and part sizes that make no sense.
    pub(crate) fn meet(&mut self, op: &str) -> Option<Fault> {
        // The upper 53 bits are what a float can hold exactly.
        let roll = (seed::next(&mut self.state) >> 11) as f64 / (1u64 << 53) as f64;
        if roll >= self.probability {
            return None;
        }
        let fault = Fault::on(op);
        let is_content = op == "open/file.download_content" || op.starts_with("cdn/");
        let is_storage = op == "web/upload.put_part" || op.starts_with("storage/");
        let roll = seed::below(&mut self.state, 10);
        if is_storage && matches!(roll, 6..=8) {
            // It knows no envelopes, and no proxy answers for it with a page.
            return Some(if roll == 6 { fault.status(429) } else { fault.drop_answer() });
        }
        Some(match (roll, is_content) {
            (0, _) => fault.status(500),
            (1, _) => fault.status(502),
            (2, _) => fault.status(503).header("Retry-After", "0"),
            (3, _) => fault.drop_answer().before(),
            (4, _) => fault.drop_answer(),
            (5, _) => fault.during(),
            (6, true) => fault.status(429),
            (6, false) => fault.code(429),
            (7, true) => fault.cut_after(1 + seed::below(&mut self.state, 1 << 20)),
            (7, false) => fault.body("text/html; charset=utf-8", "<html><body>busy</body></html>"),
            (8, true) => fault.body("application/json", r#"{"message":"busy","code":1010}"#),
            (8, false) => fault.body("application/json", r#"{"code":0,"mess"#).after(),
            (_, _) => fault.status(504).after(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_requests_fails_the_same_for_the_same_seed() {
        let run = |seed| {
            let mut chance = Chance::new(seed, 0.2);
            (0..10_000).map(|_| chance.meet("open/file.mkdir").map(|fault| format!("{fault:?}"))).collect::<Vec<_>>()
        };
        let failed = run(3).iter().flatten().count();
        assert!((1_800..2_200).contains(&failed), "{failed}");
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
        assert!(Chance::new(3, 0.0).meet("x").is_none());
        assert!(Chance::new(3, 1.0).meet("x").is_some());
    }
}
