//! MD5 and SHA-1 as the service writes them: lower-case hex.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Error;

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident, $label:literal, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Returns the raw bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl From<[u8; $bytes]> for $name {
            fn from(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// Reads hex digits of either case.
            fn from_str(text: &str) -> Result<Self, Error> {
                let mut bytes = [0; $bytes];
                read_hex(text, &mut bytes)
                    .then_some(Self(bytes))
                    .ok_or_else(|| Error::invalid(concat!("not the hex digits of ", $label)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("the hex digits of ", $label))
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
    };
}

digest! {
    /// An MD5, by which the service knows a file's content (it calls it `etag`).
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_core::Md5;
    ///
    /// let md5: Md5 = "0CC175B9C0F1B6A831C399E269772661".parse()?;
    /// assert_eq!(md5, Md5::of(b"a"));
    /// assert_eq!(md5.to_string(), "0cc175b9c0f1b6a831c399e269772661");
    /// # Ok::<(), pan123_core::Error>(())
    /// ```
    Md5, "an MD5", 16
}

digest! {
    /// A SHA-1, which the Open Platform accepts for an instant upload. Uploads compute it where they are told to.
    ///
    /// # Example
    ///
    /// ```
    /// let sha1: pan123_core::Sha1 = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8".parse()?;
    /// assert_eq!(sha1.to_string(), "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8");
    /// # Ok::<(), pan123_core::Error>(())
    /// ```
    Sha1, "a SHA-1", 20
}

impl Md5 {
    /// Computes the MD5 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use md5::Digest;
        Self(md5::Md5::digest(bytes).into())
    }
}

/// Fills `out` from exactly as many pairs of hex digits.
fn read_hex(text: &str, out: &mut [u8]) -> bool {
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if text.len() != out.len() * 2 {
        return false;
    }
    pairs.zip(out).all(|(pair, byte)| match (nibble(pair[0]), nibble(pair[1])) {
        (Some(high), Some(low)) => {
            *byte = high << 4 | low;
            true
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::{Md5, Sha1};

    #[test]
    fn only_hex_of_the_right_length_is_a_digest() {
        for text in [
            "",
            "0cc175b9c0f1b6a831c399e26977266",
            "0cc175b9c0f1b6a831c399e2697726611",
            "zcc175b9c0f1b6a831c399e269772661",
            "ａ",
        ] {
            assert!(text.parse::<Md5>().is_err(), "{text}");
        }
        assert!("0cc175b9c0f1b6a831c399e269772661".parse::<Sha1>().is_err());
    }

    #[test]
    fn json_is_hex_text() {
        let md5 = Md5::of(b"");
        let json = serde_json::to_string(&md5).unwrap();
        assert_eq!(json, "\"d41d8cd98f00b204e9800998ecf8427e\"");
        assert_eq!(serde_json::from_str::<Md5>(&json).unwrap(), md5);
    }
}
