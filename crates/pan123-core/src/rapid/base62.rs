//! MD5s as the V2 links write them: one number in base 62, most significant digit first, without leading zeros.

use crate::{Error, Md5, Result};

/// The digits; those of share keys are others.
const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The most digits of an MD5.
const MOST_DIGITS: usize = 22;

/// Writes an MD5 in at most [`MOST_DIGITS`] digits.
pub(super) fn encode(md5: Md5) -> String {
    let mut number = u128::from_be_bytes(*md5.as_bytes());
    let mut digits = Vec::new();
    loop {
        let digit = usize::try_from(number % 62).expect("the remainder is small");
        digits.push(char::from(DIGITS[digit]));
        number /= 62;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// Reads an MD5; leading zeros do no harm, as long as the number is not longer than one without them can be.
pub(super) fn decode(text: &str) -> Result<Md5> {
    if text.is_empty() {
        return Err(Error::invalid("the etag is empty"));
    }
    let digits: Option<Vec<u8>> = text.bytes().map(digit).collect();
    let digits = digits.ok_or_else(|| Error::invalid("the etag is neither an MD5 in hex nor a number in base 62"))?;
    let number =
        digits.iter().try_fold(0_u128, |number, &digit| number.checked_mul(62)?.checked_add(u128::from(digit)));
    number
        .filter(|_| digits.len() <= MOST_DIGITS)
        .map(|number| Md5::from(number.to_be_bytes()))
        .ok_or_else(|| Error::invalid("etag out of range: a number so large or long is no MD5"))
}

fn digit(letter: u8) -> Option<u8> {
    (0..).zip(DIGITS).find_map(|(digit, known)| (*known == letter).then_some(digit))
}
