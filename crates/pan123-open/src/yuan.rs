//! Amounts of money as the service writes them, kept to the last digit.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// An amount in yuan (CNY), exactly as the service wrote it: 9.9 stays 9.9 and is never rounded to a binary fraction.
///
/// Two amounts are equal when they are worth the same, however many zeros were written.
///
/// # Example
///
/// ```
/// use pan123_open::Yuan;
///
/// let price = Yuan::parse("9.90").unwrap();
/// assert_eq!(price, Yuan::from_fen(990));
/// assert_eq!((price.to_string().as_str(), price.fen()), ("9.9", Some(990)));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Yuan {
    /// The digits without the point; they end in 0 only where there is no fraction.
    digits: i64,
    /// How many of them stand behind the point.
    decimals: u32,
}

impl Yuan {
    /// Makes an amount from its hundredths.
    pub const fn from_fen(fen: i64) -> Self {
        match (fen % 100, fen % 10) {
            (0, _) => Self { digits: fen / 100, decimals: 0 },
            (_, 0) => Self { digits: fen / 10, decimals: 1 },
            _ => Self { digits: fen, decimals: 2 },
        }
    }

    /// Reads a decimal number such as `9.9`, `-3` or `1e2`.
    ///
    /// Returns `None` for anything else, and for one that needs more than 18 digits behind the point or does not fit.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse().ok()?),
            None => (text, 0_i32),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let unsigned = whole.strip_prefix('-').unwrap_or(whole);
        if unsigned.is_empty() || !unsigned.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut digits: i64 = format!("{whole}{fraction}").parse().ok()?;
        let mut decimals = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        if digits == 0 {
            return Some(Self::default());
        }
        while decimals > 0 && digits % 10 == 0 {
            (digits, decimals) = (digits / 10, decimals - 1);
        }
        while decimals < 0 {
            (digits, decimals) = (digits.checked_mul(10)?, decimals + 1);
        }
        let decimals = u32::try_from(decimals).ok().filter(|decimals| *decimals <= MOST_DECIMALS)?;
        Some(Self { digits, decimals })
    }

    /// Returns the amount in hundredths; `None` when it is finer than that, or too large to be counted in them.
    pub fn fen(self) -> Option<i64> {
        let missing = 2_u32.checked_sub(self.decimals)?;
        self.digits.checked_mul(10_i64.pow(missing))
    }
}

/// As many decimals as the digits of a 64-bit number can hold.
const MOST_DECIMALS: u32 = 18;

impl fmt::Display for Yuan {
    /// Writes the amount with a point and without a unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u64.pow(self.decimals);
        let digits = self.digits.unsigned_abs();
        let sign = if self.digits < 0 { "-" } else { "" };
        match self.decimals {
            0 => write!(f, "{sign}{digits}"),
            decimals => write!(f, "{sign}{}.{:0width$}", digits / unit, digits % unit, width = decimals as usize),
        }
    }
}

impl fmt::Debug for Yuan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Yuan({self})")
    }
}

impl<'de> Deserialize<'de> for Yuan {
    /// Reads JSON: a number, or one as text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The text of the number is read, because a binary fraction would not hold every decimal one.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get().trim_matches('"')).ok_or_else(|| de::Error::custom("an amount of money is no number"))
    }
}

#[cfg(test)]
mod tests {
    use super::Yuan;

    #[test]
    fn every_digit_is_kept() {
        for (json, shown, fen) in [
            ("9.9", "9.9", Some(990)),
            ("11.10", "11.1", Some(1110)),
            ("\"0.05\"", "0.05", Some(5)),
            ("1000", "1000", Some(100_000)),
            ("0", "0", Some(0)),
            ("0.00", "0", Some(0)),
            ("-3.50", "-3.5", Some(-350)),
            ("-0.5", "-0.5", Some(-50)),
            ("1e2", "100", Some(10_000)),
            ("1.5E-1", "0.15", Some(15)),
            ("19.799999999999997", "19.799999999999997", None),
            ("0.123456789012345678", "0.123456789012345678", None),
            ("9223372036854775807", "9223372036854775807", None),
        ] {
            let amount: Yuan = serde_json::from_str(json).unwrap();
            assert_eq!((amount.to_string().as_str(), amount.fen()), (shown, fen), "{json}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for json in
            ["null", "true", "\"\"", "\"9,9\"", "\"+1\"", "\"1.-5\"", "\".5\"", "\"--5\"", "[]", "1e19", "1e-19"]
        {
            assert!(serde_json::from_str::<Yuan>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn hundredths_are_the_same_amount() {
        for (fen, text) in [(990, "9.9"), (5, "0.05"), (-350, "-3.5"), (100_000, "1000"), (0, "0"), (1, "0.01")] {
            assert_eq!(Yuan::from_fen(fen), Yuan::parse(text).unwrap(), "{fen}");
        }
    }
}
