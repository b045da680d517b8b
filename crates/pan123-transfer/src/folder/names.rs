//! Names on the other side: what may not stand in a name is written otherwise, and read back; no two siblings get the same.

use std::collections::HashSet;

use pan123_core::name::FORBIDDEN;

use crate::own;

/// Stands before a character that is not the original one.
const QUOTE: char = '\u{201b}';

/// The most bytes of a local name: what the common file systems take.
const MOST_BYTES: usize = 255;

/// Names that Windows keeps for devices, with or without an ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// The most bytes that a name which was cut grows by when it is written otherwise once more: a quote in front, and two dots.
const ROOM: usize = 16;

/// What a side does not take in a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    is_forbidden: fn(char) -> bool,
    /// Whether a dot or a space at the end is dropped, and names of devices are no names.
    like_windows: bool,
    /// Whether the engine keeps files of its own there, whose names a stranger's file must not have.
    has_own: bool,
    most_bytes: usize,
}

/// The service's rules.
pub(super) const REMOTE: Rules = Rules {
    is_forbidden: |c| FORBIDDEN.contains(&c) || c.is_control(),
    like_windows: false,
    has_own: false,
    most_bytes: usize::MAX,
};

/// The rules of the system that this was built for.
pub(super) const LOCAL: Rules = if cfg!(windows) { WINDOWS } else { UNIX };

const WINDOWS: Rules = Rules { like_windows: true, has_own: true, most_bytes: MOST_BYTES, ..REMOTE };

// Unix takes control characters; no terminal and no script does.
const UNIX: Rules = Rules { is_forbidden: |c| c == '/' || c.is_control(), like_windows: false, ..WINDOWS };

impl Rules {
    /// Returns the name that stands for `name` of the other side here: one part of a path, whatever `name` is.
    pub(super) fn translate(&self, name: &str) -> String {
        let name = self.encode(&decode(name));
        if name.len() <= self.most_bytes {
            return name;
        }
        // What was cut may end as no name may, or be kept for something else.
        let cut = |most| self.encode(&decode(&shortened(&name, most)));
        let longest = cut(self.most_bytes);
        if longest.len() <= self.most_bytes { longest } else { cut(self.most_bytes - ROOM) }
    }

    fn encode(&self, plain: &str) -> String {
        if plain.is_empty() {
            return "_".to_owned();
        }
        let mut name = String::with_capacity(plain.len() + 8);
        if self.like_windows && is_device(plain) {
            name.push(QUOTE);
        }
        let last = plain.chars().count() - 1;
        let is_dots = matches!(plain, "." | "..");
        let own = own::ending(plain).filter(|_| self.has_own).map(|dot| plain[..dot].chars().count());
        let must_change = |place: usize, c: char| {
            (self.is_forbidden)(c)
                || own == Some(place)
                || place == last && (is_dots || self.like_windows && matches!(c, '.' | ' '))
        };
        let mut chars = plain.chars().enumerate().peekable();
        while let Some((place, c)) = chars.next() {
            match picture(c).filter(|_| must_change(place, c)) {
                Some(picture) => name.extend([QUOTE, picture]),
                // A quote of its own is doubled where it would seem to belong to what follows.
                None if c == QUOTE
                    && (place == 0 && is_device(&plain[QUOTE.len_utf8()..])
                        || chars.peek().is_some_and(|(place, next)| {
                            *next == QUOTE || original(*next).is_some() || must_change(*place, *next)
                        })) =>
                {
                    name.extend([QUOTE, QUOTE]);
                }
                None => name.push(c),
            }
        }
        name
    }
}

/// Returns the name as it was where the file was made.
fn decode(name: &str) -> String {
    let device = name.strip_prefix(QUOTE).map(unquoted).filter(|rest| is_device(rest));
    device.unwrap_or_else(|| unquoted(name))
}

fn unquoted(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let meant = chars.peek().filter(|_| c == QUOTE).and_then(|next| match *next {
            QUOTE => Some(QUOTE),
            next => original(next),
        });
        plain.push(match meant {
            Some(meant) => {
                chars.next();
                meant
            }
            None => c,
        });
    }
    plain
}

/// Returns the character that is written for one that may not stand in a name.
fn picture(c: char) -> Option<char> {
    match c {
        // The full-width forms look alike.
        '"' | '\\' | '/' | ':' | '*' | '?' | '|' | '>' | '<' | '.' => char::from_u32(u32::from(c) + 0xfee0),
        '\0'..=' ' => char::from_u32(u32::from(c) + 0x2400),
        '\u{7f}' => Some('\u{2421}'),
        // The control characters behind ASCII have no pictures of their own.
        '\u{80}'..='\u{9f}' => char::from_u32(u32::from(c) - 0x80 + 0x2800),
        _ => None,
    }
}

/// The inverse of [`picture`].
fn original(c: char) -> Option<char> {
    let code = u32::from(c);
    let c = match code {
        0xff01..=0xff5e => char::from_u32(code - 0xfee0),
        0x2400..=0x2420 => char::from_u32(code - 0x2400),
        0x2421 => Some('\u{7f}'),
        0x2800..=0x281f => char::from_u32(code - 0x2800 + 0x80),
        _ => None,
    };
    c.filter(|c| picture(*c).is_some())
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_port = |port: &str| {
        stem.strip_prefix(port)
            .is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']) || ["¹", "²", "³"].contains(&rest))
    };
    DEVICES.contains(&stem.as_str()) || is_port("com") || is_port("lpt")
}

/// Makes siblings differ: of those with the same name, all but the first get a number that is nobody's.
///
/// With `fold_case`, `A` and `a` are the same, as they are to many file systems.
pub(super) fn distinct(mut names: Vec<String>, fold_case: bool) -> Vec<String> {
    let key = |name: &str| if fold_case { name.to_lowercase() } else { name.to_owned() };
    let mut taken = HashSet::new();
    // Names that are there as they are keep their numbers; so the result is the same the next time.
    let others: Vec<usize> = (0..names.len()).filter(|place| !taken.insert(key(&names[*place]))).collect();
    for place in others {
        let numbered = (2_u64..).map(|number| with_number(&names[place], number));
        let free = numbered.into_iter().find(|name| taken.insert(key(name)));
        names[place] = free.expect("there are more numbers than names");
    }
    names
}

/// Puts a number before the ending.
fn with_number(name: &str, number: u64) -> String {
    let (stem, ending) = split_ending(name);
    let mark = format!(" ({number})");
    let stem = cut(stem, MOST_BYTES.saturating_sub(mark.len() + ending.len()));
    format!("{stem}{mark}{ending}")
}

/// Cuts a name that is too long, and keeps its ending.
fn shortened(name: &str, most: usize) -> String {
    let (stem, ending) = split_ending(name);
    format!("{}{ending}", cut(stem, most - ending.len()))
}

/// Splits off an ending such as `.mp4`; a dot at the beginning or a long tail is none.
fn split_ending(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    }
}

fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
    use proptest::test_runner::RngSeed;

    use super::*;

    #[test]
    fn a_name_stays_one_part_of_a_path() {
        for (remote, unix, windows) in [
            ("秋天：上.mp4", "秋天：上.mp4", "秋天：上.mp4"),
            ("..", ".‛．", ".‛．"),
            (".", "‛．", "‛．"),
            ("", "_", "_"),
            ("../x", "..‛／x", "..‛／x"),
            ("a/b", "a‛／b", "a‛／b"),
            (r"..\x", r"..\x", "..‛＼x"),
            ("a\0b\n", "a‛␀b‛␊", "a‛␀b‛␊"),
            ("a:b", "a:b", "a‛：b"),
            ("x.", "x.", "x‛．"),
            ("x ", "x ", "x‛␠"),
            ("CON", "CON", "‛CON"),
            ("nul.txt", "nul.txt", "‛nul.txt"),
            ("com0", "com0", "com0"),
            ("com12", "com12", "com12"),
            ("LPT9", "LPT9", "‛LPT9"),
            ("COM¹.x", "COM¹.x", "‛COM¹.x"),
            ("lpt³", "lpt³", "‛lpt³"),
            ("CONIN$", "CONIN$", "‛CONIN$"),
            ("conout$", "conout$", "‛conout$"),
            // A stranger's file does not become one of the engine's own.
            (
                ".x.0123456789abcdef.pan123-upload",
                ".x.0123456789abcdef‛．pan123-upload",
                ".x.0123456789abcdef‛．pan123-upload",
            ),
            (
                ".X.0123456789ABCDEF.PAN123-DOWNLOAD.LOCK",
                ".X.0123456789ABCDEF‛．PAN123-DOWNLOAD.LOCK",
                ".X.0123456789ABCDEF‛．PAN123-DOWNLOAD.LOCK",
            ),
            (".x.01234567.pan123-part", ".x.01234567‛．pan123-part", ".x.01234567‛．pan123-part"),
            ("it‛s", "it‛s", "it‛s"),
            // What an upload wrote comes back as it was, where that is allowed.
            ("a‛：b", "a:b", "a‛：b"),
            ("..‛／x", "..‛／x", "..‛／x"),
            ("‛．‛．", ".‛．", ".‛．"),
        ] {
            assert_eq!(UNIX.translate(remote), unix, "{remote:?}");
            assert_eq!(WINDOWS.translate(remote), windows, "{remote:?}");
        }
        let long = LOCAL.translate(&format!("{}.mp4", "长".repeat(100)));
        assert!(long.len() <= MOST_BYTES && long.ends_with("长.mp4"), "{long}");
    }

    #[test]
    fn a_name_that_was_cut_is_a_name() {
        let blanks = " ".repeat(300);
        for (plain, want) in [
            (format!("a{blanks}b"), format!("a{}‛␠", " ".repeat(237))),
            (format!("{}.{}", "a".repeat(254), "b".repeat(40)), "a".repeat(239)),
            (format!("{}.{}", "a".repeat(247), "b".repeat(40)), format!("{}.bbbbbbb", "a".repeat(247))),
            (format!("CON{blanks}x"), format!("‛CON{}‛␠", " ".repeat(235))),
            (format!("con{blanks}x.mp4"), format!("‛con{}.mp4", " ".repeat(232))),
            (
                format!(".x.0123456789abcdef.pan123-upload{blanks}x"),
                format!(".x.0123456789abcdef.pan123-upload{}‛␠", " ".repeat(205)),
            ),
            (format!("{}b", "a".repeat(300)), "a".repeat(255)),
        ] {
            let name = WINDOWS.translate(&plain);
            assert_eq!(name, want);
            assert!(name.len() <= MOST_BYTES, "{name}");
        }
        let both = distinct(["b", "c"].map(|end| WINDOWS.translate(&format!("a{blanks}{end}"))).into(), true);
        assert!(both[0] != both[1] && both.iter().all(|name| !name.ends_with([' ', '.'])), "{both:?}");
    }

    #[test]
    fn siblings_do_not_overwrite_each_other() {
        let names = |names: &[&str], fold| distinct(names.iter().map(|name| (*name).to_owned()).collect(), fold);
        assert_eq!(names(&["a.txt", "A.txt", "a.txt"], true), ["a.txt", "A (2).txt", "a (3).txt"]);
        assert_eq!(names(&["a.txt", "A.txt", "a.txt"], false), ["a.txt", "A.txt", "a (2).txt"]);
        assert_eq!(names(&["a", "a", "a (2)"], true), ["a", "a (3)", "a (2)"], "who has a number keeps it");
        let long = "x".repeat(255);
        let both = names(&[&long, &long], true);
        assert!(both[0] != both[1] && both[1].len() <= MOST_BYTES);
    }

    /// Names in which everything that matters is frequent.
    fn name() -> impl Strategy<Value = String> {
        let odd = "‛‛：／．␠␀␡\u{2800}./\\:?*. \n\u{7f}\u{85}aCON1";
        let odd = proptest::collection::vec(proptest::sample::select(odd.chars().collect::<Vec<_>>()), 1..12);
        prop_oneof![
            any::<String>().prop_filter("a name is not empty", |name| !name.is_empty()),
            odd.prop_map(|chars| chars.into_iter().collect::<String>()),
            "(CON|a|\\.x\\.0123456789abcdef\\.pan123-upload|‛)[ .]{0,260}[x.]?(\\.mp4)?",
            "‛{0,2}\\.?x?‛?\\.([0-9a-f]{16}|[0-9a-f]{8})‛{0,2}[.．]pan123-(upload|DOWNLOAD|part)(\\.lock)?",
            "‛{0,3}(con|CON|nul|com1|COM²|conin\\$)(\\.txt|:)?",
            "‛{0,2}\\.?x?‛{0,1}\\.([0-9a-f]{16}|[0-9a-f]{8})‛{0,2}[.．]pan123-(upload|DOWNLOAD|part)(\\.lock)?",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2048, rng_seed: RngSeed::Fixed(123), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_otherwise_is_read_back(plain in name()) {
            for rules in [REMOTE, UNIX, WINDOWS] {
                let written = rules.encode(&plain);
                prop_assert_eq!(decode(&written), &*plain, "{}", written);
                prop_assert!(!written.contains(rules.is_forbidden), "{}", written);
                prop_assert!(!rules.has_own || own::ending(&written).is_none(), "{}", written);
            }
        }

        #[test]
        fn no_name_leaves_its_folder(name in name()) {
            for rules in [UNIX, WINDOWS] {
                let name = rules.translate(&name);
                let path = Path::new("/t").join(&name);
                let parts: Vec<Component<'_>> = path.components().collect();
                prop_assert_eq!(parts.len(), 3, "{}", name);
                prop_assert!(matches!(parts[2], Component::Normal(_)));
                prop_assert!(name.len() <= MOST_BYTES);
                prop_assert!(own::ending(&name).is_none(), "{}", name);
                prop_assert!(!rules.like_windows || !name.ends_with(['.', ' ']) && !is_device(&name), "{}", name);
            }
        }
    }
}
