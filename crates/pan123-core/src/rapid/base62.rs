//! MD5s as the V2 links write them: one number in base 62, most significant digit first, without leading zeros.

use crate::{Error, Md5, Result};

/// The digits; those of share keys are others.
const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Writes an MD5 in 1 to 22 digits.
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

/// Reads an MD5; leading zeros do no harm.
pub(super) fn decode(text: &str) -> Result<Md5> {
    if text.is_empty() {
        return Err(Error::invalid("the etag is empty"));
    }
    let mut number = 0_u128;
    for letter in text.bytes() {
        let digit = DIGITS.iter().position(|digit| *digit == letter);
        let digit = digit.ok_or_else(|| Error::invalid("the etag is neither an MD5 in hex nor a number in base 62"))?;
        number = number
            .checked_mul(62)
            .and_then(|number| number.checked_add(digit as u128))
            .ok_or_else(|| Error::invalid("etag out of range: so large a number is no MD5"))?;
    }
    Ok(Md5::from(number.to_be_bytes()))
}
