//! Archives that hold files as they are: zip for downloads of several, gzip for logs; and their checksum.

/// One file of a zip.
#[derive(Debug)]
pub(crate) struct Packed {
    /// The path inside the zip, without a leading slash.
    pub(crate) name: String,
    pub(crate) bytes: bytes::Bytes,
}

/// A zip whose files are stored without compression; for contents that together stay under 4 GiB.
pub(crate) fn zip(files: &[Packed]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for file in files {
        let offset = out.len() as u32;
        let size = file.bytes.len() as u32;
        let mut common = Vec::new();
        // Version 2.0, names in UTF-8, stored, and the first day that the format can say.
        for number in [20u16, 0x0800, 0, 0, 0x21] {
            common.extend_from_slice(&number.to_le_bytes());
        }
        for number in [crc32(&file.bytes), size, size] {
            common.extend_from_slice(&number.to_le_bytes());
        }
        common.extend_from_slice(&(file.name.len() as u16).to_le_bytes());
        common.extend_from_slice(&[0; 2]);
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&common);
        out.extend_from_slice(file.name.as_bytes());
        out.extend_from_slice(&file.bytes);
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(file.name.as_bytes());
    }
    let (start, length, count) = (out.len() as u32, directory.len() as u32, files.len() as u16);
    out.append(&mut directory);
    out.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

/// A gzip whose content is stored without compression.
pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut out = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff".to_vec();
    let mut blocks = content.chunks(usize::from(u16::MAX)).peekable();
    if blocks.peek().is_none() {
        out.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&crc32(content).to_le_bytes());
    out.extend_from_slice(&(content.len() as u32).to_le_bytes());
    out
}

/// The CRC-32 of IEEE, as in zlib.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(!0, |crc, byte| (crc >> 8) ^ TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize])
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_gzip_holds_its_content_between_head_and_checksum() {
        let long = vec![7; 100_000];
        let packed = gzip(&long);
        assert_eq!(packed.len(), 10 + 2 * 5 + long.len() + 8);
        assert_eq!(gzip(b"").len(), 10 + 5 + 8);
        assert!(packed.ends_with(&100_000u32.to_le_bytes()));
    }

    #[test]
    fn a_zip_says_where_its_files_are() {
        let files = ["a", "d/名"].map(|name| Packed { name: name.to_owned(), bytes: name.to_owned().into() });
        let packed = zip(&files);
        let end = packed.len() - 22;
        assert_eq!(&packed[end..end + 4], b"PK\x05\x06");
        let start = u32::from_le_bytes(packed[end + 16..end + 20].try_into().unwrap()) as usize;
        assert_eq!(&packed[start..start + 4], b"PK\x01\x02");
        assert_eq!(packed[start + 46], b'a');
        assert_eq!(&packed[..4], b"PK\x03\x04");
    }
}
