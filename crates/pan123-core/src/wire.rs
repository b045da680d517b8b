//! Readers for the service's loose JSON: numbers as text, nulls for lists, both kinds of truth.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, de};

/// Reads a whole number, given as a number or as decimal text. Anything else is an error.
///
/// # Errors
///
/// When the value is of another type or does not fit.
pub fn integer<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64> + TryFrom<u64>,
{
    struct Visitor<T>(PhantomData<T>);

    impl<T: TryFrom<i64> + TryFrom<u64>> de::Visitor<'_> for Visitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number, or one as text")
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<T, E> {
            T::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<T, E> {
            T::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
        }

        fn visit_f64<E: de::Error>(self, value: f64) -> Result<T, E> {
            // Gateways written in other languages print 15000001 as 1.5000001e7; whole ones that a double holds are exact.
            if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
                #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits, checked above")]
                return self.visit_i64(value as i64);
            }
            Err(E::invalid_value(de::Unexpected::Float(value), &self))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            let text = text.trim();
            match (text.parse::<i64>(), text.parse::<u64>()) {
                (Ok(value), _) => self.visit_i64(value),
                (_, Ok(value)) => self.visit_u64(value),
                _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
            }
        }
    }

    deserializer.deserialize_any(Visitor(PhantomData))
}

/// Reads a whole number where null means that there is none.
///
/// # Errors
///
/// As [`integer`], but for null.
pub fn optional_integer<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64> + TryFrom<u64>,
{
    struct Number<T>(T);

    impl<'de, T: TryFrom<i64> + TryFrom<u64>> Deserialize<'de> for Number<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            integer(deserializer).map(Self)
        }
    }

    Ok(Option::deserialize(deserializer)?.map(|Number(value)| value))
}

/// Reads a whole number where null, an empty text or nonsense may stand and nothing is lost by 0.
///
/// # Errors
///
/// Only when the JSON itself is broken.
pub fn integer_or_zero<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64> + TryFrom<u64> + Default,
{
    struct Loose<T>(T);

    impl<'de, T: TryFrom<i64> + TryFrom<u64> + Default> Deserialize<'de> for Loose<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let value = serde_json::Value::deserialize(deserializer)?;
            Ok(Self(integer(value).unwrap_or_default()))
        }
    }

    Loose::deserialize(deserializer).map(|Loose(value)| value)
}

/// Reads a truth value, given as such, as 0 or 1, or as text; null is false.
///
/// # Errors
///
/// When the value is anything else.
pub fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    struct Visitor;

    impl<'de> de::Visitor<'de> for Visitor {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true or false, 1 or 0")
        }

        fn visit_bool<E: de::Error>(self, value: bool) -> Result<bool, E> {
            Ok(value)
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<bool, E> {
            Ok(value != 0)
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<bool, E> {
            Ok(value != 0)
        }

        fn visit_unit<E: de::Error>(self) -> Result<bool, E> {
            Ok(false)
        }

        fn visit_none<E: de::Error>(self) -> Result<bool, E> {
            Ok(false)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<bool, E> {
            match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(true),
                "false" | "0" | "" => Ok(false),
                _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
            }
        }
    }

    deserializer.deserialize_any(Visitor)
}

/// A value whose field names are in lower case, read from objects that write them in any case: `FileId`, `fileID`.
///
/// Two spellings of one name in one object are expected to say the same; which one counts is not defined.
///
/// # Example
///
/// ```
/// use pan123_core::wire::AnyCase;
///
/// #[derive(serde::Deserialize)]
/// struct Row {
///     #[serde(rename = "fileid")]
///     id: i64,
/// }
///
/// let AnyCase(rows) = serde_json::from_str::<AnyCase<Vec<Row>>>(r#"[{"FileId":1},{"fileID":2}]"#)?;
/// assert_eq!(rows[1].id, 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnyCase<T>(pub T);

impl<'de, T: de::DeserializeOwned> Deserialize<'de> for AnyCase<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = lowered(serde_json::Value::deserialize(deserializer)?);
        T::deserialize(value).map(Self).map_err(de::Error::custom)
    }
}

/// Writes every name in every object in lower case. The depth is bounded by serde_json's own limit on nesting.
fn lowered(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), lowered(value))).collect()
        }
        serde_json::Value::Array(items) => items.into_iter().map(lowered).collect(),
        other => other,
    }
}

/// Reads a value where null means the default: a null list is an empty one.
///
/// # Errors
///
/// When the value is neither null nor of the type.
pub fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a text that may come as a number; null is an empty one.
///
/// # Errors
///
/// When the value is anything else.
pub fn loose_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        serde_json::Value::Null => Ok(String::new()),
        _ => Err(de::Error::custom("a text or a number was expected")),
    }
}

/// Reads a time in any of the service's forms; what cannot be read is `None`.
///
/// # Errors
///
/// Only when the JSON itself is broken.
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<crate::Timestamp>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(match value {
        // 0001-01-01 is how the service's language writes "no time".
        serde_json::Value::String(text) => crate::Timestamp::parse(&text).filter(|time| time.unix() > 0),
        serde_json::Value::Number(number) => number.as_i64().filter(|unix| *unix > 0).map(crate::Timestamp::from_unix),
        _ => None,
    })
}

/// Reads a percentage, whole or not, as number or text; it is for show, so nonsense counts as 0.
///
/// # Errors
///
/// Only when the JSON itself is broken.
pub fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let percent = match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Number(number) => number.as_f64(),
        serde_json::Value::String(text) => text.trim().trim_end_matches('%').parse().ok(),
        _ => None,
    };
    Ok(percent.filter(|percent| percent.is_finite()).unwrap_or_default().clamp(0.0, 100.0))
}

/// Reads a digest where an empty text or null means that there is none, as for folders.
///
/// # Errors
///
/// When the text is neither empty nor an MD5: a wrong digest would pass as a right one.
pub fn md5<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<crate::Md5>, D::Error> {
    match Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)? {
        Some(text) if !text.is_empty() => text.parse().map(Some).map_err(de::Error::custom),
        _ => Ok(None),
    }
}

/// Reads the id of something that was just made, which cannot be the root.
///
/// # Errors
///
/// When it is none of an entry.
pub fn new_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<crate::FileId, D::Error> {
    let id = crate::FileId::deserialize(deserializer)?;
    id.check_entry().map(|()| id).map_err(|_| de::Error::custom(format!("the new id is {id}")))
}

/// Decodes Base64 in either alphabet, with padding or without; `None` for what is none.
///
/// # Example
///
/// ```
/// assert_eq!(pan123_core::wire::base64("-_8").as_deref(), Some(&[0xfb, 0xff][..]));
/// ```
pub fn base64(text: &str) -> Option<Vec<u8>> {
    crate::base64::decode(text)
}

/// Checks what an entry of a list is known by, and returns its size and its MD5.
///
/// A folder may have neither. A file without a size would be cut or never end, and a wrong digest would pass as a right
/// one: both are errors that name the entry.
///
/// # Errors
///
/// When the id is none of an entry, a file has no size, or the etag is no MD5.
pub fn content(
    id: crate::FileId,
    is_file: bool,
    size: Option<u64>,
    etag: Option<&str>,
) -> Result<(u64, Option<crate::Md5>), String> {
    if id.check_entry().is_err() {
        return Err(format!("the id of an entry is {id}"));
    }
    if is_file && size.is_none() {
        return Err(format!("file {id} has no size"));
    }
    let md5 = match etag.unwrap_or_default() {
        "" => None,
        etag => Some(etag.parse().map_err(|_| format!("the etag of entry {id} is not an MD5"))?),
    };
    Ok((size.unwrap_or_default(), md5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: TryFrom<i64> + TryFrom<u64>>(json: &str) -> Option<T> {
        integer(&mut serde_json::Deserializer::from_str(json)).ok()
    }

    #[test]
    fn numbers_come_as_numbers_or_text_and_nothing_else() {
        assert_eq!(read::<i64>("15000001"), Some(15_000_001));
        assert_eq!(read::<i64>("\"15000001\""), Some(15_000_001));
        assert_eq!(read::<u64>("18446744073709551615"), Some(u64::MAX));
        assert_eq!(read::<i64>("1.5000001e7"), Some(15_000_001));
        for json in ["null", "true", "\"\"", "\"12x\"", "1.5", "[]", "18446744073709551616"] {
            assert_eq!(read::<i64>(json), None, "{json}");
        }
        assert_eq!(read::<u64>("-1"), None);
    }

    #[test]
    fn truth_comes_in_four_spellings() {
        let read = |json: &str| truth(&mut serde_json::Deserializer::from_str(json)).ok();
        for json in ["true", "1", "\"True\"", "\"1\""] {
            assert_eq!(read(json), Some(true), "{json}");
        }
        for json in ["false", "0", "null", "\"\""] {
            assert_eq!(read(json), Some(false), "{json}");
        }
        assert_eq!(read("\"maybe\""), None);
    }
}
