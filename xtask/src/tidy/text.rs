//! Rules for any text: no secrets in what is recorded, no paths of somebody's machine.

use super::{File, Finding, numbered};

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = local_paths(file);
    if ["fixtures/", "docs/"].iter().any(|folder| file.path.starts_with(folder)) {
        findings.extend(secrets(file));
    }
    findings
}

/// What is recorded holds only made-up tokens, keys and phone numbers, short or plain enough to be seen as such.
fn secrets(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in numbered(&file.text) {
        let found = [
            (has_token(line), "this looks like a token: make one up whose signature is a word, such as `sig`"),
            (has_key(line), "this looks like a key or a signature: make one up that repeats itself"),
            (has_phone_number(line), "this looks like a phone number: use one that begins with 1380000"),
            (line.contains(concat!("PRIVATE KEY", "-----")), "this looks like a private key"),
        ];
        let messages = found.into_iter().filter(|(is_found, _)| *is_found);
        findings.extend(messages.map(|(_, message)| Finding::new(&file.path, number, message)));
    }
    findings
}

/// Nothing points into the machine that it was written on.
fn local_paths(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in numbered(&file.text) {
        let is_local = LOCAL_FOLDERS.iter().any(|folder| {
            let mut places = line.match_indices(folder);
            // `https://host/work/a` and `docs/work/a` are no such paths.
            places.any(|(place, _)| {
                let before = line[..place].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || "/._-}>*".contains(c))
            })
        });
        if is_local {
            findings.push(Finding::new(&file.path, number, "a path that exists on one machine only"));
        }
    }
    findings
}

/// A JSON Web Token: dots between runs of base64, the first of which begins with `{"`, and a signature at the end. What ends in a word is
/// made up: claims alone open nothing.
fn has_token(line: &str) -> bool {
    let mut words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.=".contains(c)));
    words.any(|word| {
        let token = word.find("eyJ").map_or("", |start| &word[start..]);
        let signature = token.trim_end_matches('.').rsplit_once('.').map_or("", |(_, signature)| signature);
        token.len() >= 48 && signature.len() >= 20
    })
}

/// 64 hexadecimal digits that do not repeat themselves: a key, or the signature of a presigned URL.
fn has_key(line: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_ascii_hexdigit());
    words.any(|word| word.len() == 64 && !repeats(word) && !word.eq_ignore_ascii_case(SHA256_OF_NOTHING))
}

fn repeats(word: &str) -> bool {
    [1, 2, 4, 8, 16].iter().any(|&unit| word.as_bytes()[unit..] == word.as_bytes()[..word.len() - unit])
}

/// A mobile number as text, or any number of that form in a line about accounts; sizes and times are numbers too.
fn has_phone_number(line: &str) -> bool {
    let about_accounts = ["passport", "phone", "mobile", "account", "username"].iter().any(|word| line.contains(word));
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let end = rest[start..].find(|c: char| !c.is_ascii_alphanumeric()).map_or(rest.len(), |end| start + end);
        let is_text = rest[..start].ends_with('"');
        if is_mobile_number(&rest[start..end]) && (about_accounts || is_text) {
            return true;
        }
        rest = &rest[end..];
    }
    false
}

fn is_mobile_number(word: &str) -> bool {
    let is_number = word.len() == 11 && word.bytes().all(|byte| byte.is_ascii_digit());
    is_number && matches!(word.as_bytes(), [b'1', b'3'..=b'9', ..]) && !word.starts_with("1380000")
}

// Put together from halves, so that this file does not break its own rule.
const LOCAL_FOLDERS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

const SHA256_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    #[test]
    fn a_real_token_is_found_and_a_made_up_one_is_not() {
        let token = format!("eyJ{}.{}.{}", "a".repeat(20), "b".repeat(20), "c".repeat(43));
        found(secrets, "fixtures/a", &format!("ok\n\"Authorization\": \"Bearer {token}\"\n"), &[2]);
        found(secrets, "fixtures/a", "eyJhbGciOi.eyJpZCI6MTg1MDAwMDAwMX0.sig\n", &[]);
        found(secrets, "fixtures/a", &format!("eyJhbGciOi.eyJ{}.sig\n", "a".repeat(80)), &[]);
        found(secrets, "fixtures/a", &format!("eyJ{}\n", "a".repeat(200)), &[]);
    }

    #[test]
    fn a_key_is_found_unless_it_repeats_itself() {
        let key = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        found(secrets, "fixtures/a", &format!("X-Amz-Signature={key}&a\n"), &[1]);
        found(secrets, "fixtures/a", &format!("{key}0\n"), &[]);
        found(secrets, "fixtures/a", &format!("{}\n", "0123456789abcdef".repeat(4)), &[]);
        found(secrets, "fixtures/a", &format!("{}\n", "0".repeat(64)), &[]);
        found(secrets, "fixtures/a", &format!("{SHA256_OF_NOTHING}\n"), &[]);
    }

    #[test]
    fn a_phone_number_is_found_and_a_size_is_not() {
        found(secrets, "fixtures/a", "{\"passport\": 13912345678}\n", &[1]);
        found(secrets, "fixtures/a", "{\"a\":\"13912345678\"}\n", &[1]);
        found(secrets, "fixtures/a", "{\"passport\":\"13800000001\"}\n", &[]);
        found(secrets, "fixtures/a", "{\"size\": 16106127360, \"time\": 1694101621000}\n", &[]);
        found(secrets, "fixtures/a", "{\"md5\": \"a13912345678\"}\n", &[]);
    }

    #[test]
    fn a_private_key_is_found() {
        found(secrets, "fixtures/a", concat!("-----BEGIN PRIVATE KEY", "-----\n"), &[1]);
    }

    #[test]
    fn a_path_of_this_machine_is_found() {
        for folder in LOCAL_FOLDERS {
            found(local_paths, "README.md", &format!("cd {folder}a\n\"{folder}\"\n{folder}\n"), &[1, 2, 3]);
            found(local_paths, "README.md", &format!("https://h{folder}a docs{folder}\n"), &[]);
        }
    }

    #[test]
    fn secrets_are_looked_for_in_what_is_recorded() {
        let planted = "{\"passport\": 13912345678}\n";
        found(check, "fixtures/open/user/1.json", planted, &[1]);
        found(check, "docs/protocol/web.yaml", planted, &[1]);
        found(check, "crates/pan123-link/src/lib.rs", planted, &[]);
    }
}
