//! Base64 as it is found in addresses and pasted texts: either alphabet, with padding or without.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const LOOSE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes `text`; a space stands for the plus sign that a form decoder made it from.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let standard: String = text
        .trim_end_matches(['\r', '\n'])
        .chars()
        .map(|letter| match letter {
            '-' | ' ' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    LOOSE.decode(standard).ok()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn both_alphabets_are_read_with_padding_or_without() {
        for text in ["+/8=", "-_8=", "-_8", " /8="] {
            assert_eq!(decode(text).as_deref(), Some(&[0xfb, 0xff][..]), "{text}");
        }
        assert_eq!(decode("a!b"), None);
        assert_eq!(decode("").as_deref(), Some(&[][..]));
    }
}
