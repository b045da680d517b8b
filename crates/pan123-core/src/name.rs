//! The rules for names of files and folders.

use crate::Error;

/// The longest name the service is sure to take, in characters.
///
/// Its pages say both "fewer than 255" and "fewer than 256" (`open-files.yaml`, FILE NAMES).
pub const LONGEST_NAME: usize = 254;

/// The characters that no name may hold.
pub const FORBIDDEN: [char; 9] = ['"', '\\', '/', ':', '*', '?', '|', '>', '<'];

/// Checks a name before it is sent.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for an empty or blank name, for `.` and `..`, for more
/// than [`LONGEST_NAME`] characters, for control characters and for one of [`FORBIDDEN`], with the
/// character and its place.
///
/// # Example
///
/// ```
/// assert!(pan123_core::name::check("秋天.mp4").is_ok());
/// let error = pan123_core::name::check("a/b").unwrap_err();
/// assert_eq!(error.to_string(), "a name may not hold '/' (character 2)");
/// ```
pub fn check(name: &str) -> Result<(), Error> {
    if name.trim().is_empty() {
        return Err(Error::invalid("a name may not be empty or blank"));
    }
    if matches!(name, "." | "..") {
        return Err(Error::invalid("a name may not be '.' or '..'"));
    }
    let length = name.chars().count();
    if length > LONGEST_NAME {
        return Err(Error::invalid(format!(
            "a name may have at most {LONGEST_NAME} characters, this one has {length}"
        )));
    }
    match name.chars().enumerate().find(|(_, c)| FORBIDDEN.contains(c) || c.is_control()) {
        Some((place, c)) => Err(Error::invalid(format!("a name may not hold {c:?} (character {})", place + 1))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn bad_names_are_refused_before_a_request() {
        for name in ["", " \u{3000}", ".", "..", "a\nb", "a:b", "a|b", "a<b", "a\"b", "a\\b", &"长".repeat(255)] {
            assert!(check(name).is_err(), "{name:?}");
        }
        for name in ["a", "...", " a ", "资料 (1)!.txt", &"长".repeat(254)] {
            assert!(check(name).is_ok(), "{name:?}");
        }
    }
}
