//! Which bytes of a file are there, which are on their way, and which are to be asked for next.

use std::ops::Range;

/// The bytes that are wanted. What is neither done nor on its way is free to be taken.
#[derive(Debug)]
pub(super) struct Plan {
    window: Range<u64>,
    /// Written, in order, never touching each other.
    done: Vec<Range<u64>>,
    /// Not asked for, in order, never touching each other.
    free: Vec<Range<u64>>,
    /// On their way, one for each connection.
    leases: Vec<Lease>,
    next_id: u64,
    /// How much one connection takes at a time where there are several.
    piece: u64,
}

#[derive(Debug)]
struct Lease {
    id: u64,
    /// Where the next byte belongs.
    at: u64,
    end: u64,
}

impl Plan {
    /// Makes a plan for the bytes of `window` that are not `done`.
    pub(super) fn new(window: Range<u64>, done: &[Range<u64>], piece: u64) -> Self {
        let mut plan = Self {
            window: window.clone(),
            done: Vec::new(),
            free: Vec::new(),
            leases: Vec::new(),
            next_id: 0,
            piece: piece.max(1),
        };
        done.iter().for_each(|range| insert(&mut plan.done, range.clone()));
        let mut at = window.start;
        for range in &plan.done {
            if range.start > at {
                plan.free.push(at..range.start);
            }
            at = range.end;
        }
        if at < window.end {
            plan.free.push(at..window.end);
        }
        plan
    }

    /// Returns what is done, in order.
    pub(super) fn done(&self) -> &[Range<u64>] {
        &self.done
    }

    /// Returns how many bytes are done.
    pub(super) fn done_bytes(&self) -> u64 {
        self.done.iter().map(|range| range.end - range.start).sum()
    }

    /// Returns where the done bytes end that begin where the window does.
    pub(super) fn prefix_end(&self) -> u64 {
        self.done.first().filter(|first| first.start == self.window.start).map_or(self.window.start, |first| first.end)
    }

    /// Returns the first bytes that nobody has asked for.
    pub(super) fn first_free(&self) -> Option<Range<u64>> {
        self.free.first().cloned()
    }

    /// Says whether nothing is left to be asked for or to come.
    pub(super) fn is_over(&self) -> bool {
        self.free.is_empty() && self.leases.is_empty()
    }

    /// Takes the first bytes that are free: all of a gap for who is alone, else a piece. Where nothing is free, a connection
    /// that has much left gives some of it away.
    pub(super) fn take(&mut self, alone: bool) -> Option<(u64, Range<u64>)> {
        if self.free.is_empty() && !alone {
            let piece = self.piece;
            let longest = self.leases.iter_mut().max_by_key(|lease| lease.end - lease.at)?;
            if longest.end - longest.at < piece.saturating_mul(2) {
                return None;
            }
            let given = longest.at + piece..longest.end;
            longest.end = given.start;
            insert(&mut self.free, given);
        }
        let gap = self.free.first_mut()?;
        let length = gap.end - gap.start;
        // A short rest is not worth a request of its own.
        let is_all = alone || length < self.piece.saturating_add(self.piece / 2);
        let range = gap.start..if is_all { gap.end } else { gap.start + self.piece };
        gap.start = range.end;
        if gap.is_empty() {
            self.free.remove(0);
        }
        self.next_id += 1;
        self.leases.push(Lease { id: self.next_id, at: range.start, end: range.end });
        Some((self.next_id, range))
    }

    /// Moves a connection on by up to `bytes`, and returns by how many: what is behind its end is somebody else's.
    pub(super) fn advance(&mut self, id: u64, bytes: u64) -> u64 {
        let Some(lease) = self.lease(id) else {
            return 0;
        };
        let taken = bytes.min(lease.end - lease.at);
        lease.at += taken;
        taken
    }

    /// Says whether a connection has all that it took.
    pub(super) fn is_at_end(&mut self, id: u64) -> bool {
        self.lease(id).is_none_or(|lease| lease.at == lease.end)
    }

    /// Lets a connection go on behind its end, up to `most`, if what is there is free.
    pub(super) fn extend(&mut self, id: u64, most: u64, alone: bool) -> bool {
        let piece = self.piece;
        let Some(place) = self.leases.iter().position(|lease| lease.id == id) else {
            return false;
        };
        let end = self.leases[place].end;
        let Some(gap) = self.free.iter().position(|gap| gap.start == end && end < most) else {
            return false;
        };
        let new_end = self.free[gap].end.min(most).min(if alone { u64::MAX } else { end.saturating_add(piece) });
        self.free[gap].start = new_end;
        if self.free[gap].is_empty() {
            self.free.remove(gap);
        }
        self.leases[place].end = new_end;
        true
    }

    /// Says that there is nothing behind what a connection has got.
    pub(super) fn close(&mut self, id: u64) {
        if let Some(lease) = self.lease(id) {
            lease.end = lease.at;
        }
    }

    /// Ends a connection's lease; what it has not got is free again.
    pub(super) fn release(&mut self, id: u64) {
        if let Some(place) = self.leases.iter().position(|lease| lease.id == id) {
            let lease = self.leases.remove(place);
            if lease.at < lease.end {
                insert(&mut self.free, lease.at..lease.end);
            }
        }
    }

    /// Notes bytes that are written.
    pub(super) fn written(&mut self, range: Range<u64>) {
        insert(&mut self.done, range);
    }

    fn lease(&mut self, id: u64) -> Option<&mut Lease> {
        self.leases.iter_mut().find(|lease| lease.id == id)
    }
}

/// Adds a range to some that are in order, and joins those that then touch.
fn insert(ranges: &mut Vec<Range<u64>>, mut new: Range<u64>) {
    if new.is_empty() {
        return;
    }
    let from = ranges.partition_point(|range| range.end < new.start);
    let to = ranges.partition_point(|range| range.start <= new.end);
    for range in &ranges[from..to.max(from)] {
        new = new.start.min(range.start)..new.end.max(range.end);
    }
    ranges.splice(from..to.max(from), [new]);
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a list of one range is meant")]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_are_one() {
        let mut ranges = Vec::new();
        for (new, want) in [
            (10..20, vec![10..20]),
            (30..40, vec![10..20, 30..40]),
            (0..5, vec![0..5, 10..20, 30..40]),
            (20..30, vec![0..5, 10..40]),
            (7..7, vec![0..5, 10..40]),
            (4..11, vec![0..40]),
            (50..60, vec![0..40, 50..60]),
            (0..100, vec![0..100]),
        ] {
            insert(&mut ranges, new);
            assert_eq!(ranges, want);
        }
    }

    #[test]
    fn who_is_alone_takes_a_gap_and_several_take_pieces() {
        let mut plan = Plan::new(0..100, &[20..30, 90..95], 10);
        assert_eq!((plan.done_bytes(), plan.prefix_end()), (15, 0));
        assert_eq!(plan.take(true), Some((1, 0..20)));
        assert_eq!(plan.take(false), Some((2, 30..40)));
        // It is asked whether a piece is left; nobody else's bytes are taken.
        assert_eq!(plan.advance(1, 15), 15);
        assert_eq!(plan.take(true), Some((3, 40..90)));
        assert_eq!(plan.take(true), Some((4, 95..100)));
        assert_eq!(plan.take(true), None);
        // The longest gives away what is behind its next piece.
        assert_eq!(plan.take(false), Some((5, 50..60)));
        assert_eq!(plan.advance(3, 12), 10);
        assert!(plan.is_at_end(3));
    }

    #[test]
    fn what_is_given_back_is_taken_by_who_comes_to_it() {
        let mut plan = Plan::new(0..100, &[], 10);
        plan.take(true);
        let (second, range) = plan.take(false).unwrap();
        assert_eq!(range, 10..20);
        assert_eq!(plan.advance(second, 4), 4);
        plan.written(10..14);
        assert_eq!(plan.advance(1, 50), 10);
        assert!(plan.is_at_end(1));
        assert!(!plan.extend(1, 100, true), "the bytes behind are the other's");
        plan.release(second);
        assert_eq!(plan.first_free(), Some(14..100));
        assert!(!plan.extend(1, 100, true), "the bytes behind are there");
        plan.written(0..10);
        assert_eq!((plan.done(), plan.prefix_end()), (&[0..14][..], 14));
        plan.release(1);
        assert!(!plan.is_over());
        assert_eq!(plan.take(true), Some((3, 14..100)));
        assert_eq!(plan.advance(3, 1000), 86);
        plan.release(3);
        assert!(plan.is_over());
    }

    #[test]
    fn an_answer_that_goes_on_is_used_when_its_bytes_are_free_again() {
        let mut plan = Plan::new(0..100, &[], 10);
        plan.take(true);
        let (second, _) = plan.take(false).unwrap();
        plan.release(second);
        plan.advance(1, 10);
        assert!(plan.extend(1, 100, false));
        assert_eq!(plan.advance(1, 100), 10);
        assert!(plan.extend(1, 100, true));
        assert_eq!(plan.advance(1, 100), 80);
        assert!(!plan.extend(1, 100, true));
    }
}
